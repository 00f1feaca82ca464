"""What happened: immutable facts, their units, their canonical bytes."""

from gongfen.facts.envelope import Elsewhere as Elsewhere
from gongfen.facts.envelope import Fact as Fact
from gongfen.facts.envelope import Signature as Signature
from gongfen.facts.envelope import Unknown as Unknown
from gongfen.facts.envelope import admitted as admitted
from gongfen.facts.envelope import admitted_together as admitted_together
from gongfen.facts.envelope import body_of as body_of
from gongfen.facts.envelope import checked as checked
from gongfen.facts.envelope import decode as decode
from gongfen.facts.envelope import decoded_together as decoded_together
from gongfen.facts.envelope import encode as encode
from gongfen.facts.envelope import entry as entry
from gongfen.facts.envelope import reread as reread
from gongfen.facts.envelope import reread_together as reread_together
from gongfen.facts.envelope import statement as statement
from gongfen.facts.kinds import KINDS as KINDS
from gongfen.facts.kinds import Body as Body
