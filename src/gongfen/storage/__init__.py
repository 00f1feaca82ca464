"""Where bytes live: the journal, the views built from it, the blobs."""

from gongfen.storage.sqlite import SqliteStore as SqliteStore
from gongfen.storage.sqlite import create_store as create_store
from gongfen.storage.sqlite import open_store as open_store
