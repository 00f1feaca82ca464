"""What labour is worth."""

from gongfen.value.worth import Worth as Worth
from gongfen.value.worth import money as money
from gongfen.value.worth import worth as worth
