"""Where bytes live: the journal, the views built from it, the blobs."""
