"""Packing of matrices: parts of them copied in the order in which products read them."""

import llvmlite.binding as llvm

from .writer import Writer

__all__ = ["SIZE", "SUFFIX", "Panels", "registers"]

SUFFIX = {"float": "f32", "double": "f64"}
SIZE = {"float": 4, "double": 8}


def registers():
    """(bytes of a vector register, how many there are) of this machine."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 32
    if features.get("avx2"):
        return 32, 16
    return 16, 32 if "aarch64" in llvm.get_process_triple() else 16


class Panels(Writer):
    """Writes functions over matrices of one type, among them @pack."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.size = kind, SIZE[kind]
        self.lanes = registers()[0] // self.size
        self.type = f"<{self.lanes} x {kind}>"
        self.suffix = f"v{self.lanes}{SUFFIX[kind]}"
        self.finished = []

    # Small things

    def at(self, base, *terms):
        """The address of an element; terms are counts of elements, or pairs to multiply."""
        for term in terms:
            index = self.times(*term) if isinstance(term, tuple) else term
            base = self.let(f"getelementptr {self.kind}, ptr {base}, i64 {index}")
        return base

    def times(self, a, b):
        """The product of two int64s."""
        return self.let(f"mul nsw i64 {a}, {b}")

    def plus(self, a, b):
        """The sum of two int64s."""
        return self.let(f"add nsw i64 {a}, {b}")

    def minus(self, a, b):
        """The difference of two int64s."""
        return self.let(f"sub nsw i64 {a}, {b}")

    def quotient(self, a, b):
        """The quotient of two int64s, rounded down if they are not negative."""
        return self.let(f"sdiv i64 {a}, {b}")

    def least(self, a, b):
        """The smaller of two int64s."""
        return self.let(f"call i64 @llvm.smin.i64(i64 {a}, i64 {b})")

    def select(self, condition, a, b):
        """One of two int64s."""
        return self.let(f"select i1 {condition}, i64 {a}, i64 {b}")

    def test(self, comparison, a, b):
        """Whether a comparison of two int64s holds."""
        return self.let(f"icmp {comparison} i64 {a}, {b}")

    def load(self, place):
        """The vector at a place."""
        return self.let(f"load {self.type}, ptr {place}, align {self.size}")

    def store(self, x, place):
        """Put a vector in a place."""
        self.do(f"store {self.type} {x}, ptr {place}, align {self.size}")

    def masked_load(self, place, mask):
        """The lanes of a mask, and zeros."""
        return self.let(
            f"call {self.type} @llvm.masked.load.{self.suffix}.p0(ptr {place}, i32 {self.size}, "
            f"<{self.lanes} x i1> {mask}, {self.type} zeroinitializer)"
        )

    def masked_store(self, x, place, mask):
        """Put the lanes of a mask in a place."""
        self.do(
            f"call void @llvm.masked.store.{self.suffix}.p0({self.type} {x}, ptr {place}, "
            f"i32 {self.size}, <{self.lanes} x i1> {mask})"
        )

    def lanes_below(self, count):
        """A mask of the first lanes of a vector."""
        numbers = ", ".join(f"i64 {j}" for j in range(self.lanes))
        spread = self.on_all_lanes(count)
        return self.let(f"icmp slt <{self.lanes} x i64> <{numbers}>, {spread}")

    def on_all_lanes(self, x):
        """A vector of one int64."""
        kind = f"<{self.lanes} x i64>"
        first = self.let(f"insertelement {kind} poison, i64 {x}, i32 0")
        zeros = f"<{self.lanes} x i32> zeroinitializer"
        return self.let(f"shufflevector {kind} {first}, {kind} poison, {zeros}")

    def mixed(self, a, b, order):
        """The lanes of two vectors, chosen by number."""
        order = ", ".join(f"i32 {j}" for j in order)
        pair = f"{self.type} {a}, {self.type} {b}"
        return self.let(f"shufflevector {pair}, <{self.lanes} x i32> <{order}>")

    def fma(self, a, b, c):
        """The text of a * b + c of vectors."""
        operands = ", ".join(f"{self.type} {x}" for x in (a, b, c))
        return f"call {self.type} @llvm.fma.{self.suffix}({operands})"

    def steps(self, limit, step, body, start="0"):
        """for i in range(start, limit, step): body(i)."""
        self.loop(limit, lambda i: body(i) or step, start, steps=True)

    def function(self, head, body):
        """Write a function whose text starts with `head`."""
        self.lines, self.entry = [], []
        body()
        self.do("ret void")
        lines = [f"define {head} noinline {{", "entry:", *self.entry]
        lines += ["  br label %start", "start:", *self.lines, "}"]
        self.finished.append("\n".join(lines))

    def module(self):
        """The text of all functions."""
        vector, mask = self.type, f"<{self.lanes} x i1>"
        declarations = [
            f"declare {vector} @llvm.fma.{self.suffix}({vector}, {vector}, {vector})",
            f"declare {vector} @llvm.masked.load.{self.suffix}.p0(ptr, i32, {mask}, {vector})",
            f"declare void @llvm.masked.store.{self.suffix}.p0({vector}, ptr, i32, {mask})",
            f"declare {self.kind} @llvm.vector.reduce.fadd.{self.suffix}({self.kind}, {vector})",
            "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)",
            "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
            "declare i64 @llvm.smin.i64(i64, i64)",
            f"declare i{self.lanes} @llvm.cttz.i{self.lanes}(i{self.lanes}, i1)",
            "declare ptr @malloc(i64)",
            "declare void @free(ptr)",
        ]
        return "\n".join([*declarations, *self.finished])

    # Packing

    def pack(self):
        """@pack: dst[r * pitch + c] = src[r * rs + c * cs] for all r < rows, c < columns.

        The pitch is one of whole vectors; what columns do not fill of the last one is anything.
        """
        more = ", ".join(f"i64 %{name}" for name in ("pitch", "rs", "cs", "rows", "columns"))
        head = f"internal void @pack(ptr noalias %dst, ptr noalias %src, {more})"
        self.function(head, self._pack)

    def _pack(self):
        along, down = self.test("eq", "%cs", 1), self.test("eq", "%rs", 1)
        self.when(
            along,
            self._pack_rows,
            lambda: self.when(down, self._pack_turned, lambda: self._pack_numbers("0")),
        )

    def _pack_rows(self):
        """Vectors along the rows, the last of them with a mask."""
        whole = self.let(f"and i64 %columns, {-self.lanes}")
        mask = self.lanes_below(self.minus("%columns", whole))

        def row(r):
            to, source = self.at("%dst", (r, "%pitch")), self.at("%src", (r, "%rs"))
            vector = lambda c: self.store(self.load(self.at(source, c)), self.at(to, c))  # noqa: E731
            self.steps(whole, self.lanes, vector)
            rest = self.masked_load(self.at(source, whole), mask)
            self.masked_store(rest, self.at(to, whole), mask)

        self.loop("%rows", row)

    def _pack_numbers(self, start):
        """Number by number, from row `start` on."""

        def number(r, c):
            x = self.let(f"load {self.kind}, ptr {self.at('%src', (r, '%rs'), (c, '%cs'))}")
            self.do(f"store {self.kind} {x}, ptr {self.at('%dst', (r, '%pitch'), c)}")

        self.loop("%rows", lambda r: self.loop("%columns", lambda c: number(r, c)), start)

    def _pack_turned(self):
        """Squares of as many rows and columns as a vector has lanes, turned in registers.

        Columns that are not there are read from the last one.
        """
        whole = self.let(f"and i64 %rows, {-self.lanes}")
        end = self.minus("%columns", 1)

        def square(r, c):
            columns = [self.least(self.plus(c, j), end) for j in range(self.lanes)]
            vectors = [self.load(self.at("%src", r, (column, "%cs"))) for column in columns]
            to = self.at("%dst", (r, "%pitch"), c)
            for j, x in enumerate(self.turned(vectors)):
                to = self.at(to, "%pitch") if j else to
                self.store(x, to)

        self.steps(
            whole,
            self.lanes,
            lambda r: self.steps("%columns", self.lanes, lambda c: square(r, c)),
        )
        self._pack_numbers(whole)

    def turned(self, vectors):
        """The columns of a square of which `vectors` are the rows."""
        lanes = range(self.lanes)
        step = 1
        while step < self.lanes:
            low = [j if not j & step else self.lanes + j - step for j in lanes]
            high = [j + step if not j & step else self.lanes + j for j in lanes]
            for i in lanes:
                if not i & step:
                    pair = vectors[i], vectors[i + step]
                    vectors[i], vectors[i + step] = self.mixed(*pair, low), self.mixed(*pair, high)
            step *= 2
        return vectors
