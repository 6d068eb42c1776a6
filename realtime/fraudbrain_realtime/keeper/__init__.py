"""The keeper: a child process that writes, scans and answers beside its worker, so that no event waits for it.

The worker's end is `KeeperProcess`; what the process itself does is `serving`. They speak in the frames of `messages`
over a socket of their own, and the process ends when its worker's end of it closes, however the worker ended.
"""
