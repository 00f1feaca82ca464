"""Who gets how much."""

from gongfen.shares.settlement import check_settlement as check_settlement
from gongfen.shares.settlement import influence_weights as influence_weights
from gongfen.shares.settlement import left_by as left_by
from gongfen.shares.settlement import period_of as period_of
from gongfen.shares.settlement import period_target as period_target
from gongfen.shares.settlement import settle as settle
