"""The archive: every topic with history into the lake, each record once; decisions into HBase, the first wins."""
