"""Makes the files of the reference work: `python -m tests.bench.reference` writes them anew, always the same ones.

Rules are what card issuers write: velocity, habit, geography, card testing, merchants and devices, each in several
shapes and for several thresholds, countries and trades. What is measured are the files, which are committed.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import fraudbrain_deploy.bench

FOLDER = Path(fraudbrain_deploy.bench.__file__).parent
RULES, MANY_RULES, EVENTS = FOLDER / "reference/rules.toml", FOLDER / "many_rules.toml", FOLDER / "events.jsonl"
COUNTRIES = ("ES", "FR", "DE", "IT", "PT", "GB", "US", "NG", "RU", "BR", "CN", "IN", "MX", "TR", "UA", "VN")
TRADES = (4829, 5094, 5732, 5816, 5944, 5967, 5993, 6011, 6051, 6211, 7273, 7801, 7995)
CURRENCIES = ("EUR", "USD", "GBP", "BRL", "NGN", "TRY")
T0 = 1_767_225_600_000  # 2026-01-01 UTC


class Numbers:
    """Thresholds of one rule: parameters by their names, or constants nearby."""

    def __init__(self, rng: Random, share_of_parameters: float) -> None:
        self._rng = rng
        self._share = share_of_parameters

    def __call__(self, parameter: str, low: float, high: float) -> str:
        if self._rng.random() < self._share:
            return f"param.{parameter}"
        if isinstance(low, int) and isinstance(high, int):
            return str(self._rng.randint(low, high))
        return self.between(low, high)

    def between(self, low: float, high: float) -> str:
        return f"{self._rng.uniform(low, high):.2f}"

    def some(self, values: tuple[object, ...], count: int) -> str:
        chosen = sorted(self._rng.sample(values, count), key=str)
        return f"[{', '.join(repr(each) for each in chosen)}]"

    def one(self, *values: str) -> str:
        return self._rng.choice(values)


Shape = Callable[[Numbers], str]

SHAPES: dict[str, tuple[str, Shape]] = {
    "amount_over_usual": (
        "A payment many times what this card usually spends",
        lambda n: (
            f"derived.amount_over_usual > {n('over_usual', 2.5, 9.0)} && "
            f"profile.spend_30d_count >= {n('min_history', 3, 20)}"
        ),
    ),
    "burst_within_the_hour": (
        "More payments within an hour than people make",
        lambda n: (
            f"profile.spend_1h_count >= {n('hour_count', 3, 9)} && "
            f"profile.spend_1h_sum + event.amount > {n('large_amount', 20_000, 200_000)} && !event.is_recurring"
        ),
    ),
    "first_time_abroad": (
        "The first payments abroad for a week, in a country where fraud is made",
        lambda n: (
            f"event.merchant_country in {n.some(COUNTRIES, 5)} && profile.foreign_7d_count <= {n.one('0', '1', '2')}"
        ),
    ),
    "card_testing": (
        "Small amounts in quick succession, as when stolen numbers are tried",
        lambda n: (
            f"profile.small_1h_count >= {n('hour_count', 2, 6)} && event.amount < {n('small_amount', 100, 900)} && "
            f"(event.channel == 'ecom' || event.entry_mode == {n.one(repr('manual'), repr('stored'))})"
        ),
    ),
    "wrong_cvv_then_large": (
        "A wrong security code, then a large payment",
        lambda n: (
            f"profile.wrong_cvv_1d_count > {n.one('0', '1', '2')} && event.cvv_match && "
            f"event.amount >= {n('large_amount', 10_000, 100_000)}"
        ),
    ),
    "trade_that_turns_to_cash": (
        "A trade whose goods are money, far above habit",
        lambda n: (
            f"event.mcc in {n.some(TRADES, 5)} && derived.amount_over_week > {n('over_week', 1.5, 6.0)} && "
            f"event.amount > {n('large_amount', 10_000, 90_000)}"
        ),
    ),
    "address_elsewhere": (
        "Paid from a country that is neither the card's nor the merchant's",
        lambda n: (
            f"event.ip_country != event.card_country && event.ip_country != event.merchant_country && "
            f"!(event.ip_country in {n.some(COUNTRIES, 4)}) && !event.is_3ds"
        ),
    ),
    "by_telephone": (
        "A large order by telephone or post",
        lambda n: (
            f"event.channel == 'moto' && event.amount > {n('large_amount', 20_000, 150_000)} && "
            f"event.basket_items >= {n('basket_items', 2, 30)} && !event.cvv_match"
        ),
    ),
    "busy_device": (
        "A device that pays with many cards",
        lambda n: (
            f"context.device_id.payments_1d_count > {n('device_count', 4, 20)} && "
            f"(event.channel == 'ecom' || event.attempts > {n('attempts', 1, 5)}) && profile.spend_30d_count < "
            f"{n('min_history', 10, 60)}"
        ),
    ),
    "busy_merchant": (
        "A merchant that sells more than it did, to a card that was not there",
        lambda n: (
            f"context.merchant_id.payments_1d_count >= {n('merchant_count', 10, 80)} && "
            f"derived.amount_over_highest > {n('over_highest', 0.5, 2.5)}"
        ),
    ),
    "merchant_with_frauds": (
        "A merchant of which frauds were reported",
        lambda n: (
            f"context.merchant_id.fraud_7d_count >= {n('merchant_frauds', 1, 4)} && "
            f"event.amount > {n('small_amount', 500, 9_000)}"
        ),
    ),
    "jump_of_the_day": (
        "A day that costs as much as the week",
        lambda n: (
            f"derived.day_share > {n('day_share', 0.4, 0.9)} && profile.spend_7d_count > {n('min_history', 4, 15)}"
        ),
    ),
    "tried_again_and_again": (
        "Many attempts with a number that is typed in",
        lambda n: (
            f"event.attempts >= {n('attempts', 2, 7)} && event.entry_mode == 'manual' && "
            f"(event.amount > {n('large_amount', 5_000, 50_000)} || !event.cvv_match)"
        ),
    ),
    "throwaway_address": (
        "An e-mail address of the kind that lives a day",
        lambda n: (
            f"(event.email.endsWith({n.one(repr('.xyz'), repr('.top'), repr('@mail.tmp'))}) || "
            f"event.email.startsWith('test')) && event.amount > {n('small_amount', 500, 20_000)}"
        ),
    ),
    "standing_order_grown": (
        "A standing order that asks for more than last time",
        lambda n: (
            f"event.is_recurring && double(event.amount) > double(profile.last_payment_last) * "
            f"{n('over_highest', 1.2, 3.0)}"
        ),
    ),
    "seconds_later": (
        "Seconds after a payment the next, and a larger one",
        lambda n: (
            f"profile.last_payment_seconds_since < {n('rapid_gap_s', 20, 600)} && "
            f"event.amount > profile.last_payment_last + {n('small_amount', 500, 50_000)}"
        ),
    ),
    "week_like_no_other": (
        "A week that costs most of the month",
        lambda n: (
            f"profile.spend_7d_sum > {n('week_sum', 50_000, 900_000)} && "
            f"derived.week_share > {n('day_share', 0.6, 0.95)}"
        ),
    ),
    "over_the_channels_limit": (
        "Above what this channel is trusted with",
        lambda n: (
            f"event.amount > (event.channel == {n.one(repr('ecom'), repr('moto'))} ? "
            f"{n('large_amount', 20_000, 90_000)} : {n('very_large_amount', 90_000, 400_000)}) && "
            f"derived.amount_over_usual > {n('over_usual', 1.2, 4.0)}"
        ),
    ),
    "foreign_money": (
        "A currency that is not spoken where the card lives",
        lambda n: (
            f"event.currency in {n.some(CURRENCIES, 3)} && event.card_country in {n.some(COUNTRIES, 5)} && "
            f"event.amount > {n('large_amount', 10_000, 80_000)}"
        ),
    ),
    "mostly_abroad": (
        "A card that spends abroad what it spends",
        lambda n: (
            f"derived.foreign_share > {n('foreign_share', 0.3, 0.9)} && profile.foreign_7d_count >= "
            f"{n('hour_count', 2, 8)} && event.merchant_country in {n.some(COUNTRIES, 6)}"
        ),
    ),
    "all_at_once_online": (
        "An hour that holds the day, all of it online",
        lambda n: (
            f"derived.hour_share >= {n('hour_share', 0.2, 0.7)} && derived.online_share > "
            f"{n('day_share', 0.5, 0.9)} && profile.online_1d_sum > {n('large_amount', 10_000, 90_000)}"
        ),
    ),
    "far_from_home": (
        "A till outside the region where this card is used",
        lambda n: (
            f"(event.latitude < {n.between(35, 42)} || event.latitude > {n.between(55, 62)} || "
            f"event.longitude > {n.between(20, 32)}) && event.entry_mode != 'chip' && !event.is_3ds"
        ),
    ),
    "more_than_a_day_holds": (
        "More payments in a day than before, and larger ones",
        lambda n: f"profile.spend_1d_count > {n('day_count', 6, 25)} && profile.spend_1d_mean > profile.spend_30d_mean",
    ),
    "full_basket_fast": (
        "Many goods at once, bought without the bank's second question",
        lambda n: (
            f"event.basket_items > {n('basket_items', 5, 40)} && !event.is_3ds && "
            f"(event.amount > {n('large_amount', 10_000, 90_000)} || "
            f"derived.amount_over_week > {n('over_week', 2.0, 6.0)})"
        ),
    ),
    "cash_abroad": (
        "Cash from a machine abroad after payments at home",
        lambda n: (
            f"event.channel == 'atm' && event.merchant_country != event.card_country && "
            f"profile.last_payment_seconds_since < {n('rapid_gap_s', 600, 7_200)} && event.amount >= "
            f"{n('large_amount', 5_000, 60_000)}"
        ),
    ),
}


def rules(count: int, *, seed: int, parameters: float) -> str:
    """So many rules as a file; that share of their thresholds are parameters."""
    numbers = Numbers(Random(seed), parameters)
    shapes = list(SHAPES.items())
    parts = []
    for place in range(count):
        name, (description, shape) = shapes[place % len(shapes)]
        number = place // len(shapes) + 1
        when = shape(numbers)
        parts.append(f'[[rule]]\nname = "{name}_{number}"\ndescription = "{description}"\nwhen = "{when}"\n')
    return "\n".join(parts)


def events(count: int, *, cards: int, seed: int) -> Iterator[dict[str, object]]:
    """Payments of some cards, several a day each: habits, trips abroad, hurried hours."""
    rng = Random(seed)
    homes = {card: rng.choice(COUNTRIES[:6]) for card in range(cards)}
    usual = {card: rng.randint(1_500, 9_000) for card in range(cards)}
    abroad = dict.fromkeys(range(cards), "")
    time = T0
    for _ in range(count):
        time += int(rng.expovariate(1 / 1_200_000)) if rng.random() < 0.8 else rng.randint(1_000, 40_000)
        card = rng.randrange(cards)
        if rng.random() < 0.15:
            abroad[card] = "" if abroad[card] else rng.choice(COUNTRIES)
        channel = rng.choices(("pos", "ecom", "moto", "atm"), (45, 40, 5, 10))[0]
        amount = max(50, int(usual[card] * rng.lognormvariate(0, 0.9)))
        if rng.random() < 0.08:
            amount = amount * rng.randint(4, 30) if rng.random() < 0.6 else rng.randint(50, 290)
        place = abroad[card] or homes[card]
        yield {
            "event_id": f"{rng.getrandbits(64):016x}",
            "type": "payment",
            "event_time": time,
            "fields": {
                "card_id": f"card-{card:06}",
                "account_id": f"acc-{card // 2:06}",
                "merchant_id": f"m-{min(int(rng.paretovariate(1.1)), 40):04}",
                "device_id": f"d-{card if rng.random() < 0.7 else rng.randrange(6):05}",
                "email": rng.choice((f"{card}.person@example.com", f"test{card}@example.org", f"p{card}@shop.xyz")),
                "channel": channel,
                "entry_mode": {"pos": "chip", "atm": "chip"}.get(channel) or rng.choice(("manual", "stored")),
                "currency": rng.choice(CURRENCIES) if abroad[card] else "EUR",
                "mcc": rng.choice(TRADES) if rng.random() < 0.2 else rng.randint(5_000, 5_999),
                "amount": amount,
                "card_country": homes[card],
                "merchant_country": place,
                "ip_country": place if rng.random() < 0.85 else rng.choice(COUNTRIES),
                "latitude": round(rng.uniform(34, 63), 4),
                "longitude": round(rng.uniform(-9, 35), 4),
                "is_recurring": rng.random() < 0.1,
                "is_3ds": rng.random() < 0.5,
                "cvv_match": rng.random() < 0.93,
                "attempts": rng.choice((0, 0, 0, 1, 1, 2, 5)),
                "basket_items": rng.randint(1, 45),
            },
        }


def files() -> dict[Path, str]:
    """The files by their place."""
    lines = (json.dumps(each, separators=(",", ":")) for each in events(400, cards=12, seed=1))
    return {
        RULES: "# What the engine is measured with, made by tests/bench/reference.py.\n\n"
        + rules(50, seed=2, parameters=0.5),
        MANY_RULES: "# For rule sets of up to 1,000 rules, made by tests/bench/reference.py.\n\n"
        + rules(1_000, seed=3, parameters=0.2),
        EVENTS: "\n".join(lines) + "\n",
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
