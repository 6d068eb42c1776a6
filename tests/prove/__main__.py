"""List the claims and how their evidence stands, or prove the one that is named and commit its evidence."""

import shutil
import sys
from pathlib import Path

from tests.prove import evidence
from tests.prove.claims import CLAIMS, Claim

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Do what the command line says."""
    match sys.argv[1:]:
        case []:
            for claim in CLAIMS:
                print(f"{claim.name}: {evidence.staleness(ROOT, claim.name)}\n    {claim.says}")
        case [name]:
            prove(find(name))
        case _:
            sys.exit("usage: python -m tests.prove [claim]")


def find(name: str) -> Claim:
    """Return the claim of this name, or end with the names there are."""
    for claim in CLAIMS:
        if claim.name == name:
            return claim
    sys.exit(f"prove: no claim is called {name}; there are: {', '.join(claim.name for claim in CLAIMS)}")


def prove(claim: Claim) -> None:
    """Prove a claim for the commit that is checked out, from where the last try at this commit ended."""
    if evidence.is_dirty(ROOT):
        sys.exit("prove: the tree differs from its commit. Commit or stash first: evidence is about a commit.")
    commit = evidence.head(ROOT)
    report = claim.prove(progress_folder(claim, commit))
    if evidence.head(ROOT) != commit or evidence.is_dirty(ROOT):
        sys.exit(f"prove: the tree was changed meanwhile; check out {commit[:10]} and run again, nothing is done twice")
    path = evidence.write(ROOT, claim.name, claim.says, claim.covers, report)
    print(f"prove: {path.relative_to(ROOT)} written and committed")


def progress_folder(claim: Claim, commit: str) -> Path:
    """Return the claim's folder for this commit; what is left of other commits is removed."""
    claim_folder = ROOT / ".fraudbrain/prove" / claim.name
    folder = claim_folder / commit
    for old in claim_folder.glob("*"):
        if old != folder:
            shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
