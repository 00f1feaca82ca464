"""Check an audit bundle or a receipt of a Gongfen book without Gongfen: this file, Python 3.11, `cryptography`.

    python -I verify.py audit.zip --key 'THE KEY THAT THE BOOK PUBLISHED, OR ITS FILE; --key AGAIN FOR A SECOND ONE'
Take the key from a place that the sender cannot change for you alone, and this file from a source that you trust:
whoever sends both can send a verifier that always says yes. It ends with 0: all holds, 2: not, 3: not all is booked."""

# fmt: off
import argparse, functools, hashlib, importlib, json, pathlib, re, sys, zipfile
from base64 import b64decode
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
MOST, MOST_BYTES, MOST_ENTRY_BYTES = 2**53 - 1, 1 << 30, (1 << 16) - 1  # a number, a bundle, a fact logged whole
PPM, HOUR_US, HOUR_USLH, NOBODY, SIMPLE = 10**6, 3_600 * 10**6, 10**6, "owed:unidentified", {"simple": (1, 1)}
NEEDED = ("checkpoint", "key", "facts.jsonl", "leaves", "proofs.jsonl", "SHA256SUMS")
PART = re.compile(rf"{'|'.join(NEEDED)}|README\.txt|verify\.py|witnesses|blobs/[0-9a-f]{{64}}")
ASK = "ask for another copy; do not trust this one"
Fields = dict[str, Any]  # whole amounts: micro-units of a currency, microseconds, uslh (10⁻⁶ h of simple labour)
class Refused(Exception): """What does not hold: a thing, a reason, a remedy."""
def demand(holds: object, thing: str, reason: str, remedy: str = ASK) -> None:
    if not holds: raise Refused(f"{thing} {reason}\n  → {remedy}")
def counted(number: int, thing: str) -> str: return f"{number} {thing}{'s' * (number != 1)}"
def money(micro: int, currency: str) -> str: return f"{currency} {micro // PPM}.{micro % PPM:06}"
def read_parts(place: pathlib.Path) -> Fields:  # bytes by name; counted as they come: the directory of a zip may lie
    if place.is_dir():
        files = [path for path in (*place.iterdir(), *place.glob("blobs/*")) if path.is_file()]
        found: Any = [(path.relative_to(place).as_posix(), functools.partial(path.open, "rb")) for path in files]
    else:
        pack = zipfile.ZipFile(place)
        found = [(it.filename, functools.partial(pack.open, it)) for it in pack.infolist() if it.filename != "blobs/"]
    parts, left = Fields(), MOST_BYTES
    for name, opened in found:
        demand(PART.fullmatch(name) and name not in parts, f"bundle, {name[:60]!r},", "is no part, or there twice")
        with opened() as file: parts[name] = file.read(left + 1)
        left -= len(parts[name])
        demand(left >= 0, "bundle", "unpacks to more than 1 GiB")
    demand(parts.keys() >= {*NEEDED}, "bundle", f"lacks {', '.join(sorted({*NEEDED} - parts.keys()))}")
    return parts
# ── 1. Whose key? ───────────────────────────────────────────────────────────────────────────────────────────────
ED25519, COSIGNATURE, MLDSA44 = 1, 4, 6
LENGTHS = {"log": {ED25519: 32, MLDSA44: 1312}, "witness": {COSIGNATURE: 32, MLDSA44: 1312}}  # bytes of their keys
KEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+\S+")
class Key:  # a public key: name+id+base64(kind, public key) (c2sp.org/signed-note); the id helps to find it
    def __init__(self, line: str, owner: str) -> None:
        thing, remedy = f"the {owner}'s key {line[:60]!r}", f"name the public key as the {owner} published it"
        demand(KEY.fullmatch(line), thing, "is no public key", remedy)
        self.line, (self.name, hint, encoded) = line, line.split("+", 2)
        raw = b64decode(encoded, validate=True)
        self.kind, self.public, self.id = raw[0], raw[1:], hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        good = self.id.hex() == hint and LENGTHS[owner].get(self.kind) == len(self.public)
        demand(good, thing, f"is no key of a {owner}, or its id does not fit it", remedy)
def read_keys(given: list[str] | None, owner: str) -> list[Key] | None:  # as text, or in files; None: none was named
    found = dict[bytes, Key]()
    for name in given or ():
        text = name if KEY.match(name) or "PRIVATE+" in name else pathlib.Path(name).read_text("utf-8-sig")
        demand("PRIVATE+" not in text, f"the {owner}'s key", "is a secret one", "keep it, and name its public half")
        demand(text.split(), repr(name), "is empty", f"name the file of the {owner}'s public key")
        found |= {key.public: key for key in [Key(line, owner) for line in text.split()]}
    return None if given is None else [*found.values()]
def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:  # Ed25519 (RFC 8032), ML-DSA-44 (FIPS 204)
    from cryptography.exceptions import InvalidSignature  # main() says so if it is not there
    room, kind = ("mldsa", "MLDSA44PublicKey") if len(public) == 1312 else ("ed25519", "Ed25519PublicKey")
    keys = importlib.import_module(f"cryptography.hazmat.primitives.asymmetric.{room}")  # older ones lack mldsa
    try: return getattr(keys, kind).from_public_bytes(public).verify(signature, message) is None  # else it raises
    except InvalidSignature: return False
# ── 2. What was signed, and by whom? ────────────────────────────────────────────────────────────────────────────
NOTE = re.compile(r"[^\x00-\x1f]+\n(0|[1-9][0-9]{0,17})\n\S{44}(\n[^\x00-\x1f]+)*\n\n(— [^\s+]+ \S+\n){1,100}")
class Checkpoint:  # so many facts lead to this root: the text of a signed note (c2sp.org/tlog-checkpoint)
    def __init__(self, note: str, keys: list[Key], thing: str) -> None:
        demand(NOTE.fullmatch(note) and len(note) <= 1 << 20, thing, "is not a signed note of a log")
        text, _, below = note.partition("\n\n")
        self.origin, size, root = text.split("\n")[:3]
        self.text, self.size, self.root = text + "\n", int(size), b64decode(root, validate=True)
        self.signatures = [(one[1], b64decode(one[2], validate=True)) for one in map(str.split, below[:-1].split("\n"))]
        for key in keys:
            demand(self.times(key), thing, f"is not signed by {key.line[:150]}", "check with the published key")
            demand(key.name == self.origin, thing, f"is of the log {self.origin}, not of {key.name}")
        self.head = f"{counted(self.size, 'fact')}, root {self.root.hex()}"
    def times(self, key: Key) -> list[int]:  # when it signed: seconds since 1970, or 0. Each signature of it must hold
        times, begin = list[int](), 4 if key.kind == ED25519 else 12  # a time may stand between id and signature
        for raw in [raw for name, raw in self.signatures if (name, raw[:4]) == (key.name, key.id)]:
            times.append(int.from_bytes(raw[4:begin], "big"))
            holds = times[-1] < 1 << 63 and signed_by(key.public, self.message(key, times[-1]), raw[begin:])
            demand(holds, "checkpoint", f"carries a false signature of {key.name}")
        return times
    def message(self, key: Key, seconds: int) -> bytes:  # what a key signs (c2sp.org/tlog-cosignature)
        if key.kind == ED25519: return self.text.encode()
        if key.kind == COSIGNATURE: return f"cosignature/v1\ntime {seconds}\n{self.text}".encode()
        demand(self.text.count("\n") == 3, "checkpoint", "has extension lines, which ML-DSA-44 does not sign")
        name, origin = [bytes([len(one)]) + one for one in (key.name.encode(), self.origin.encode())]
        time, size = seconds.to_bytes(8, "big"), self.size.to_bytes(8, "big")
        return b"subtree/v1\n\0" + name + time + origin + bytes(8) + size + self.root
def vouched(signed: Checkpoint, keys: list[Key], witnesses: list[Key] | None, quorum: int | None) -> list[str]:
    report = [f"It holds. Log {signed.origin}, {signed.head}", *[f"Signed by {key.line[:150]}" for key in keys]]
    spare = {raw[:4] for name, raw in signed.signatures if name == signed.origin} - {key.id for key in keys}
    report += [f"NOT CHECKED: another signature of the book, by key {one.hex()}; name it too: --key" for one in spare]
    seen = [(key.name, signed.times(key)) for key in witnesses or ()]
    there, missing = [name for name, times in seen if times], [name for name, times in seen if not times]
    demand(signed.origin not in there + missing, "--witness", "names the log itself", "name those who watch it")
    due, nobody = len(seen) if quorum is None else quorum, witnesses is None and quorum is None
    demand(nobody or 1 <= due <= len(seen), f"--quorum {due}", f"has {len(seen)} to choose from", "add --witness")
    few = f"was cosigned by {len(there)} of {len(seen)} witnesses ({', '.join(there) or 'none'}); {due} are asked for"
    demand(len(there) >= due, "checkpoint", few, f"ask for one that these have cosigned: {', '.join(missing)}")
    return report + [f"Cosigned by {name} at {datetime.fromtimestamp(max(when), UTC)}" for name, when in seen if when]
# ── 3. Is every fact in it, and what does it say? ───────────────────────────────────────────────────────────────
def leaf_of(fact: bytes) -> bytes: return hashlib.sha256(b"\0" + fact).digest()
def node(left: bytes, right: bytes) -> bytes: return hashlib.sha256(b"\1" + left + right).digest()
def tree_over(leaves: list[bytes]) -> Any:  # gives root(from, to), of the Merkle tree over leaves (RFC 9162, 2.1.1)
    @functools.cache
    def root(start: int, end: int) -> bytes:
        if end - start < 2: return leaves[start] if end > start else hashlib.sha256().digest()
        middle = start + (1 << (end - start - 1).bit_length() - 1)  # as many as fill a tree, and fewer than all
        return node(root(start, middle), root(middle, end))
    return root
def root_by(path: list[bytes], leaf: bytes, number: int, size: int) -> bytes:  # ... by the hashes beside its way up
    demand(0 <= number < size and bool(path) == (size > 1), "a proof", "is longer or shorter than the way up")
    if size == 1: return leaf
    middle = 1 << (size - 1).bit_length() - 1
    if number < middle: return node(root_by(path[:-1], leaf, number, middle), path[-1])
    return node(path[-1], root_by(path[:-1], leaf, number - middle, size - middle))
def canonical(value: object) -> bytes:  # RFC 8785 for texts and whole numbers: compact JSON, the names in their order
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
def from_json(data: bytes, thing: str) -> Any:  # what another reader might read otherwise is refused
    value = json.loads(data.decode())
    demand(canonical(value) == data, thing, "is not in canonical form")
    return value
def read_fact(line: bytes, parts: Fields) -> tuple[Fields, Fields]:  # what it says, with its body; and its signature
    fact = from_json(line, "it")
    body = fact["body"] if "body" in fact else from_json(parts[f"blobs/{fact['body_sha256']}"], "its body")
    said = {name: fact[name] for name in ("at", "by", "id", "kind", "sample")} | {"body": body, "v": 1}
    due = said | ({"signed": fact["signed"], "v": 2} if "signed" in fact else {})
    if len(canonical(due)) > MOST_ENTRY_BYTES:
        raw = canonical(due.pop("body"))
        due |= {"v": 2, "body_bytes": len(raw), "body_sha256": hashlib.sha256(raw).hexdigest()}
    demand(canonical(due) == line and type(fact["sample"]) is bool, "it", "is not written as a fact is")
    return said, fact.get("signed", {})
# ── 4. The books: every fact is booked again, from nothing ──────────────────────────────────────────────────────
KINDS = ("enrol", "work", "dataset", "model", "output", "labour", "compute", "purchase", "plan", "make", "influence",
         "standard", "policy", "sale", "settlement", "payment", "key", "wage", "rent", "rate", "label", "quote")
LATER = {"loss", "recycle", "correction", "opening", "close", "task", "discarded", "averages", "business"}  # not here
RULES = ("standard", "policy", "influence", "sale", "settlement", "payment")  # each can be shown to others alone
SPACES = {"enrol": "maker", "dataset": "work", "model": "work", "output": "work"}  # what they name, if not themselves
NAMED = {"maker": "maker", "machine": "maker", "work": "work", "output": "work"}  # fields that name what is recorded
LISTS = {"works": "work", "inputs": "work", "outputs": "work", "effects": "work",  # what tells the items of each apart
         "makers": "maker", "reductions": "skill", "machines": "device"}
NUMBERS = {"labour_kind": (1, 8), "days": (1, 3660), "effect_nnat": (-MOST, MOST)}  # field: its least and its most
NUMBERS |= dict.fromkeys(("ppm", "pool_ppm", "beta_ppm"), (0, PPM))
NUMBERS |= dict.fromkeys(("people", "quantity", "uses", "num", "den", "coin_micro", "amount_micro"), (1, MOST))
NUMBERS |= dict.fromkeys(("price_micro", "labour_us", "device_us", "uslh_per_hour", "embodied_uslh"), (0, MOST))
NAME, LIVING = re.compile(r"[^\s\x00-\x1f\x7f-\x9f|]{1,200}"), re.compile(r"(living\|\d\|)(inference|operation)\|")
def apportion(total: int, weights: Fields) -> Fields:  # largest remainder first, of equal ones what sorts first
    weights = weights if any(weights.values()) else {NOBODY: 1}
    whole = sum(weights.values())
    parts = {name: total * weight // whole for name, weight in weights.items()}
    in_turn = sorted(weights, key=lambda name: (-(total * weights[name] % whole), name))
    return parts | {name: parts[name] + 1 for name in in_turn[: total - sum(parts.values())]}
def rounded(amount: int, by: int) -> int: return (2 * amount + by) // (2 * by)
class Work:  # and the labour at rest in it: lots of uslh, by whom or what they came from
    def __init__(self, kind: str, body: Fields) -> None:
        self.kind, self.makers, self.quantity = kind, body.get("makers"), body.get("quantity", 1)
        self.members, self.model, self.begun = list(body.get("works", ())), "", False
        self.lots, self.made_of = Counter[str](), Counter[str]()  # what is in it; and all that went in, used or not
        self.plan(1 if kind in ("data", "prompt", "dataset", "output") else None)
    def plan(self, uses: Any) -> None:  # from now on so many uses share what is in it; None: nobody said how many
        self.base, self.planned, self.used = self.lots.total(), uses, 0
    def receive(self, lots: Fields) -> None:  # None: it was not measured, which is not none
        for held in (self.lots, self.made_of): held.update({one: lots[one] for one in lots if lots[one] is not None})
        demand(self.lots.total() <= MOST, "a work", "holds more than can be booked")
        self.plan(None if self.planned is None else max(self.planned - self.used, 0))
    def use(self, uses: int) -> Fields:  # after k of n uses ⌊base·k/n⌋ is gone, so that n carry all of it
        demand(self.planned is not None, "a work", "is used, but nobody planned its uses")
        gone = [self.base * k // self.planned if k < self.planned else self.base for k in (self.used, self.used + uses)]
        taken = apportion(gone[1] - gone[0], self.lots)
        self.lots.subtract(taken)
        self.used, self.begun = self.used + uses, True
        return {source: amount for source, amount in taken.items() if amount}
class Books:  # `known` has the facts that gave a name, by what the name is of, in their order
    def __init__(self, origin: str) -> None:
        self.origin, self.signed, self.late, self.ended, self.unpaid = origin, 0, list[int](), set[str](), ""
        self.days, self.owed, self.rates, self.skills = Counter[Any](), Counter[Any](), Fields(), SIMPLE
        self.known, self.works, self.behind = defaultdict[str, Fields](dict), dict[str, Work](), ""
    def book(self, number: int, said: Fields, signature: Fields, root: Any) -> None:  # of any kind, id and signature
        kind, body = said["kind"], said["body"]
        self.take_name("id", said["id"], {})
        if signature: self.check_signature(number, said, signature)
        if kind == "key": self.take_name("key", body["key"], body)  # signatures go on being checked, whatever is booked
        if kind in ("key", "revocation"): self.ended.add(body["key" if kind == "revocation" else "replaces"])
        if kind in LATER or (kind in KINDS and body.keys() & LATER): self.behind = self.behind or f"fact {number}"
        if kind not in KINDS or self.behind: return
        body, given = body | {"number": number}, "maker" if kind == "enrol" else kind
        for field in body.keys() - {given}: self.check(field, body[field])
        work: Any = self.works.get(body.get("work", ""))  # that it is about, when it is recorded
        match kind:
            case "enrol": demand(":" not in body["maker"], body["maker"], "has a colon in their name")
            case "work":
                demand(sum(part["ppm"] for part in body["makers"]) in (0, PPM), body["work"], "is not made whole")
                demand(body["role"] in ("data", "prompt", "deployment", "training"), body["work"], "has no known role")
                self.works[body["work"]] = Work(body["role"], body)
            case "model" | "output" | "dataset":
                self.works[body[kind]] = Work(kind, body)
                self.pass_on(dict.fromkeys(body.get("works", ()), 1), {body[kind]: 1})
            case "standard":
                self.skills = SIMPLE | {one["skill"]: (one["num"], one["den"]) for one in body["reductions"]}
                self.rates = {one["device"]: one["uslh_per_hour"] for one in body["machines"]}
                self.unpaid = body.get("unpaid")  # simple: an unpaid hour counts one hour, whatever the skill
            case "labour": self.labour(body)
            case "compute":
                demand(self.known["maker"][body["machine"]]["form"] == "machine", body["machine"], "is not a machine")
                per_hour = self.rates.get(body["device"])  # without a rate the time is kept, but is no labour
                amount = None if per_hour is None else rounded(body["device_us"] * per_hour, HOUR_US)
                work.receive({f"external|machine|{body['device']}": amount})
            case "purchase": work.receive({f"external|{body['source']}|{body['item']}": body["embodied_uslh"]})
            case "plan": work.plan(body["uses"])
            case "make": self.make(body)
            case "influence":  # money follows effects: they are claimed for works that trained the model, and no others
                sets = [self.works[name].members for name in self.works[body["model"]].members if name in self.works]
                strangers = {one["work"] for one in body["effects"]}.difference(*sets)
                demand(not strangers, body["influence"], f"claims works that did not train {body['model']}")
            case "sale": self.sale(body)
            case "settlement": self.settle(body, number, root)
            case "payment":
                self.owed[body["maker"], body["currency"]] -= body["amount_micro"]
                demand(self.owed[body["maker"], body["currency"]] >= 0, body["payment"], "pays more than is owed")
        if given in body and kind != "key": self.take_name(SPACES.get(kind, given), body[given], body)
    def take_name(self, space: str, name: str, body: Fields) -> None:  # once: a second one would rewrite the first
        demand(NAME.fullmatch(name) and name not in self.known[space], f"{space} {name[:60]!r}", "is taken, or no name")
        self.known[space][name] = body
    def found(self, space: str, **fields: str) -> list[Fields]:
        return [one for one in self.known[space].values() if all(one[field] == fields[field] for field in fields)]
    def check(self, name: str, value: Any) -> None:  # a field is what its name says, and who it names is recorded
        if name in LISTS:
            items = [item if isinstance(item, dict) else {LISTS[name]: item} for item in value]
            demand(len({item[LISTS[name]] for item in items}) == len(items), name, "names one twice")
            for field, inner in [pair for item in items for pair in item.items()]: self.check(field, inner)
        elif name in NUMBERS and (value is not None or name not in ("labour_us", "embodied_uslh")):
            demand(type(value) is int and NUMBERS[name][0] <= value <= NUMBERS[name][1], name, f"is {value!r}")
        elif name in ("day", "period"): demand(re.fullmatch("[0-9]{4}(-[0-9]{2}){0,2}", value), name, "is no day")
        elif name in NAMED: demand(value in self.known[NAMED[name]], f"{name} {value!r}", "is not recorded")
    def check_signature(self, number: int, said: Fields, signature: Fields) -> None:  # by a key that a fact gave them
        name, message = signature["key"], f"gongfen/fact/v1\n{self.origin}\n".encode() + canonical(said)
        holds = signed_by(b64decode(self.known["key"][name]["public"]), message, b64decode(signature["ed25519"]))
        demand(holds and self.known["key"][name]["maker"] == said["by"], said["id"], f"is not signed by {said['by']}")
        self.signed, self.late = self.signed + 1, self.late + [number] * (name in self.ended)
    def labour(self, body: Fields) -> None:  # measured time becomes simple labour; a day has 24 hours for each head
        maker, us, days, skill = self.known["maker"][body["maker"]], body["labour_us"], body["days"], body["skill"]
        demand(maker["form"] != "machine", body["maker"], "is a machine and does no living labour")
        if us is None: return self.works[body["work"]].receive({})  # not measured is not none: it cannot be booked
        for day in range(days):
            when = body["maker"], date.fromisoformat(body["day"]) + timedelta(day)
            self.days[when] += us * (day + 1) // days - us * day // days
            demand(self.days[when] <= 24 * HOUR_US * maker["people"], body["maker"], f"works over 24 h on {when[1]}")
        num, den = (1, 1) if (body["standing"], self.unpaid) == ("unpaid", "simple") else self.skills[skill]
        source = "|".join(str(body[name]) for name in ("labour_kind", "phase", "standing", "quality", "maker"))
        if (skill, num, den) != ("simple", 1, 1): source += f"|{skill}|{num}|{den}"
        if body["labour_kind"] != 8:  # business (8) is circulation: it adds nothing to a work
            self.works[body["work"]].receive({f"living|{source}": rounded(us * num * HOUR_USLH, den * HOUR_US)})
    def make(self, body: Fields) -> None:  # labour passes on; a model remembers its data sets, an output its model
        inputs = {one["work"]: one["uses"] for one in body["inputs"]}
        again = any(one in inputs or self.works[one].begun for one in body["outputs"])
        demand(body["outputs"] and not again, body["make"], "makes nothing new")
        used = {kind: [one for one in inputs if self.works[one].kind == kind] for kind in ("dataset", "model")}
        for made in [self.works[name] for name in body["outputs"]]:
            if made.kind == "model": made.members += used["dataset"]
            if made.kind == "output" and used["model"]: made.model = used["model"][0]
        self.pass_on(inputs, {name: self.works[name].quantity for name in body["outputs"]})
    def pass_on(self, inputs: Fields, outputs: Fields) -> None:  # the labour of these uses, by the outputs' quantity
        gathered = Counter[str]()
        for work, uses in inputs.items():
            for source, amount in self.works[work].use(uses).items():  # what was living in an output is past now
                gathered[LIVING.sub(r"\1recycled|", source) if self.works[work].kind == "output" else source] += amount
        divided = {source: apportion(amount, outputs) for source, amount in gathered.items()}
        for output in outputs: self.works[output].receive({source: parts[output] for source, parts in divided.items()})
    def sale(self, body: Fields) -> None:  # ── 5. What did each sale carry? The living labour that is in it now ──────
        sold, body["living"] = self.works[body["output"]], Counter[str]()
        demand(sold.kind == "output", body["output"], f"is sold, but is a {sold.kind}")
        self.check_open(body["currency"], str(date.fromisoformat(body["day"])))
        for source in sold.made_of:
            if source.startswith("living|"): body["living"][source.split("|")[5]] += sold.made_of[source]
    def check_open(self, currency: str, period: str) -> None:  # what is settled stays settled
        for one in self.found("settlement", currency=currency):
            apart = one["period"][: len(period)] != period[: len(one["period"])]  # neither begins with the other
            demand(apart, f"period {period}", f"is settled by {one['settlement']}")
    def settle(self, said: Fields, number: int, root: Any) -> None:  # ── 6. What is each maker owed? To the cent ──────
        thing, period, rule = f"settlement {said['settlement']}", said["period"], self.known["policy"][said["policy"]]
        currency, coin, beta = rule["currency"], rule["coin_micro"], rule["beta_ppm"]
        self.check_open(currency, period)
        sales = [one for one in self.found("sale", currency=currency) if one["day"].startswith(period)]
        demand(sales, thing, "has no sales")
        stood = [one for one in self.found("policy", currency=currency) if one["number"] < sales[0]["number"]]
        demand(stood and stood[-1] is rule, thing, "goes by a policy that was not in force at its first sale")
        measured = self.found("influence", grade="settlement", target=f"period:{period}:{currency}")[-1:]
        models = {self.works[one["output"]].model for one in sales} - {""}
        demand(all(models <= {one["model"]} for one in measured), thing, "rests on influence on another model")
        labour, effects = Counter[str](), Counter[str]()
        for one in sales: labour.update(apportion(one["price_micro"], one["living"]))  # by who worked on what was sold
        for effect in [effect for one in measured for effect in one["effects"] if effect["effect_nnat"] > 0]:
            for part in self.works[effect["work"]].makers or [{"maker": NOBODY, "ppm": PPM}]:
                effects[part["maker"]] += effect["effect_nnat"] * part["ppm"]
        demand(beta == PPM or effects.total(), thing, "shares by influence that nobody measured")
        income = sum(one["price_micro"] for one in sales)
        carried = sum(one["carried_out_micro"] for one in self.found("settlement", currency=currency)[-1:])
        pool = income * rule["pool_ppm"] // PPM + carried
        coins, for_labour = pool // coin, pool // coin * beta // PPM
        by_labour, by_effect = Counter(apportion(for_labour, labour)), Counter(apportion(coins - for_labour, effects))
        makers = sorted({*by_labour, *by_effect} - {NOBODY})
        lines = [{"maker": one, "labour_micro": by_labour[one] * coin, "influence_micro": by_effect[one] * coin,
                  "amount_micro": (by_labour[one] + by_effect[one]) * coin} for one in makers]
        due = {"standard": self.found("standard")[-1]["standard"], "size": number, "root": root().hex(), "lines": lines,
               "influence": measured[0]["influence"] if measured and beta < PPM else None, "sales_micro": income,
               "carried_in_micro": carried, "pool_micro": pool, "total_micro": coins * coin, "currency": currency,
               "unidentified_micro": (by_labour[NOBODY] + by_effect[NOBODY]) * coin, "carried_out_micro": pool % coin}
        for field in due:
            reason = f"claims {field} {said[field]}; the facts give {due[field]}"
            demand(canonical(said[field]) == canonical(due[field]), thing, reason, "do not pay by it")
        self.owed.update({(line["maker"], currency): line["amount_micro"] for line in lines})
LIMITS = """Not proved: that the facts are true of the world; that everything was recorded, and when; that nobody was
shown another log, unless witnesses whom you trust have seen this one; that money arrived; who was right."""
def audit(parts: Fields, keys: Any, since: Any = None, witnesses: Any = None, quorum: Any = None) -> list[str]:
    trusted = [Key(line, "log") for line in parts["key"].decode().split()] if keys is None else keys
    signed = Checkpoint(parts["checkpoint"].decode(), trusted, "checkpoint")
    *facts, end = parts["facts.jsonl"].split(b"\n")
    leaves = [leaf_of(fact) for fact in facts]
    root, size = tree_over(leaves), signed.size
    whole = trusted and not end and len(facts) == size and len(parts["leaves"]) == 32 * size
    demand(whole, "bundle", f"holds {counted(len(facts), 'fact')}, where {size} are signed")
    for number, leaf in enumerate(leaves):
        demand(parts["leaves"][32 * number : 32 * number + 32] == leaf, f"fact {number}", "was altered")
    demand(root(0, size) == signed.root, "bundle", "does not lead to the signed root")
    report = vouched(signed, trusted, witnesses, quorum)
    if keys is None: report.append("It is the key that came with the bundle: name the published one, --key")
    if since is not None:
        older = Checkpoint(since, trusted, "older checkpoint")
        same = older.size <= size and root(0, older.size) == older.root
        heads = f"does not begin with the log of the older checkpoint\n  older: {older.head}\n  this:  {signed.head}"
        demand(same, "bundle", heads, "keep both: they are evidence")
        report.append(f"Nothing was rewritten since the older checkpoint of {counted(older.size, 'fact')}")
    proven = set[int]()
    for proof in [from_json(line, "proofs.jsonl") for line in parts["proofs.jsonl"].splitlines()]:
        number, path = proof["seq"], [bytes.fromhex(step) for step in proof["path"]]
        holds = {"seq": number, "path": [step.hex() for step in path]} == proof
        demand(holds and root_by(path, leaves[number], number, size) == signed.root, f"fact {number}", "is not proved")
        proven.add(number)
    books = Books(signed.origin)
    for number, line in enumerate(facts):
        try:
            said, signature = read_fact(line, parts)
            demand(number in proven or said["kind"] not in RULES, said["kind"], "has no inclusion proof of its own")
            books.book(number, said, signature, functools.partial(root, 0, number))
        except Exception as no: raise Refused(f"fact {number}: {no if isinstance(no, Refused) else repr(no)}") from None
    sums = {name: hashlib.sha256(parts[name]).hexdigest() for name in sorted({*parts} - {"SHA256SUMS"})}
    listed = "".join(f"{sums[name]}  {name}\n" for name in sums).encode() == parts["SHA256SUMS"]
    blobs = all(name[6:] == sums[name] for name in sums if name.startswith("blobs/"))
    demand(blobs and listed, "bundle", "has a part that is not what SHA256SUMS says")
    report.append(f"Inclusion proofs: {len(proven)}; signatures of makers: {books.signed}")
    late = ", ".join(map(str, books.late))
    if late: report.append(f"IN DOUBT: {counted(len(books.late), 'fact')} signed with a key that had ended: {late}")
    settled = [(one["settlement"], money(one["total_micro"], one["currency"])) for one in books.found("settlement")]
    report += [f"{name} follows from the facts: {total} to share" for name, total in settled]
    if books.behind: report.append(f"NOT RECOMPUTED from {books.behind} on, nor what is owed: use gongfen verify")
    report += [f"  {maker} is owed {money(micro, currency)}" for (maker, currency), micro in sorted(books.owed.items())]
    return [*report, LIMITS]
RECEIPT = re.compile(r"c2sp\.org/tlog-proof@v1\nextra \S+\nindex (0|[1-9][0-9]{0,17})(\n\S{44}){0,63}")
def check_receipt(text: str, keys: Any, witnesses: Any = None, quorum: Any = None) -> list[str]:  # of one fact
    head, _, note = text.partition("\n\n")
    demand(RECEIPT.fullmatch(head), "receipt", "is no log proof that holds its fact")
    demand(keys, "receipt", "is checked with the key that the book published", "name it: --key")
    extra, index, *steps = [line.split(" ")[-1] for line in head.split("\n")[1:]]
    entry, path = b64decode(extra, validate=True), [b64decode(step, validate=True) for step in steps]
    signed, fact = Checkpoint(note, keys, "checkpoint"), from_json(entry, "its fact")
    holds = root_by(path, leaf_of(entry), int(index), signed.size) == signed.root
    demand(holds, "receipt", f"does not show that its fact is number {index} of {signed.origin}")
    said = fact.get("body", {"body_sha256": fact.get("body_sha256")})  # a long body is logged by its hash
    said |= {f"{name}, hours": str(timedelta(microseconds=said[name])) for name in said if "_us" in name and said[name]}
    report = vouched(signed, keys, witnesses, quorum)
    report.append(f"Fact {index}, {fact['kind']}, by {fact['by']} at {fact['at']}{', SAMPLE DATA' * fact['sample']}")
    return report + [f"  {name}: {canonical(said[name]).decode()}" for name in said]
def main() -> int:
    parser = argparse.ArgumentParser(description="Check a bundle or a receipt of a Gongfen book, without Gongfen.")
    parser.add_argument("file", type=pathlib.Path, help="audit.zip, its unpacked folder, or a .tlog-proof")
    parser.add_argument("--key", action="append", help="the key that the book published, or its file; repeatable")
    parser.add_argument("--since", type=pathlib.Path, help="an older checkpoint, which the log in a bundle must extend")
    parser.add_argument("--witness", action="append", help="the key of a witness, or its file; repeatable")
    parser.add_argument("--quorum", type=int, help="how many of these witnesses must have cosigned it; else all")
    args, code, thing = parser.parse_args(), 2, "a key or a checkpoint that you named"
    try:
        asked = read_keys(args.witness, "witness"), args.quorum
        keys, since = read_keys(args.key, "log"), args.since and args.since.read_text("utf-8-sig")
        receipt, thing = args.file.suffix == ".tlog-proof", args.file
        demand(since is None or not receipt, "--since", "is for a bundle", "leave it out")
        if receipt: said = check_receipt(args.file.read_bytes().decode(), keys, *asked)
        else: said = audit(read_parts(args.file), keys, since, *asked)
        code = 3 if any(line.startswith("NOT RECOMPUTED") for line in said) else 0
    except ImportError as no: said = [f"{no}", "  → pip install --upgrade cryptography"]
    except OSError as no: said = [f"{no}", "  → name a file that is there, and can be read"]
    except Exception as no:  # whatever goes wrong on hostile bytes is a refusal, and never a pass
        said = [f"{no}" if isinstance(no, Refused) else f"{thing} cannot be read: {no!r}\n  → name another, or {ASK}"]
    shown = "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in "\n".join(said))
    print(shown, file=sys.stderr if code == 2 else sys.stdout)
    return code
if __name__ == "__main__": sys.exit(main())
