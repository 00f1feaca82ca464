"""Double entry, in labour time and in money."""

from gongfen.accounts.balance import at_rest as at_rest
from gongfen.accounts.balance import closing as closing
from gongfen.accounts.balance import conservation as conservation
from gongfen.accounts.balance import conservation_by_source as conservation_by_source
from gongfen.accounts.batches import every_stock as every_stock
from gongfen.accounts.batches import stock_in as stock_in
from gongfen.accounts.booking import book as book
from gongfen.accounts.booking import living_labour as living_labour
from gongfen.accounts.entries import Entry as Entry
from gongfen.accounts.entries import Posting as Posting
from gongfen.accounts.entries import balances as balances
from gongfen.accounts.runs import Bookings as Bookings
from gongfen.accounts.runs import book_all as book_all
from gongfen.accounts.state import TABLES as TABLES
from gongfen.accounts.state import State as State
from gongfen.accounts.state import state_in as state_in
from gongfen.accounts.state import state_in_memory as state_in_memory
