"""Matrix products whose result has few columns.

A product with few rows is one of the transposed operands with few columns; it writes its result by
columns.
"""

from .panels import registers
from .product import Product

__all__ = ["FEW", "PACKED", "Dots", "Sums"]

FEW = 8  # columns
PACKED = 512  # columns of `a`, at most, that are packed
_BLOCK_BYTES = 1 << 20  # of packed columns of `b`, at most
_AHEAD = 8  # columns of `a` that are fetched before they are needed


class _Few(Product):
    """Products with few columns."""

    def finish(self):
        """Let the kernel that follows go on with the piece: its rows may be columns here."""
        v = self.value
        turned = self.test("ne", v["cc"], 1)
        start = self.plus(self.times(self.batch, v["n"]), self.column)
        self.first = self.select(turned, start, self.first)
        self.follow("0", self.select(turned, self.width, self.height))


class Dots(_Few):
    """Products with few columns: sums along rows of `a`, whose numbers follow each other."""

    rows = 4  # that are done at once

    def text(self, symbol):
        """The module."""
        self.pack()
        for rows in (self.rows, 1):
            self.dots(rows)
        self.entry_point(symbol)
        return self.module()

    def space(self):
        """How many numbers of packed columns of `b` there are at most."""
        return FEW * (_BLOCK_BYTES // self.size // FEW)

    def dots(self, rows):
        """@dots<rows>: c[r] = (c[r] if more else 0) + the sum over k of a[r, k] * b[k]."""
        more = "i64 %lda, ptr %b, ptr %c, i64 %ldc, i64 %k, i1 %more"
        head = f"internal void @dots{rows}(ptr %a, {more})"
        self.function(head, lambda: self._dots(rows))

    def _dots(self, rows):
        sums = [[self.alloca(self.type) for _ in range(2)] for _ in range(rows)]
        for place in (place for pair in sums for place in pair):
            self.store("zeroinitializer", place)

        def add(k, n, load):
            y = load(self.at("%b", k))
            for r in range(rows):
                x = load(self.at("%a", (r, "%lda"), k))
                self.store(self.let(self.fma(x, y, self.load(sums[r][n]))), sums[r][n])

        def both(k):
            add(k, 0, self.load)
            add(self.plus(k, self.lanes), 1, self.load)

        def rest(k):
            mask = self.lanes_below(self.minus("%k", k))
            add(k, 0, lambda place: self.masked_load(place, mask))

        whole = self.let(f"and i64 %k, {-2 * self.lanes}")
        self.steps(whole, 2 * self.lanes, both)
        self.steps("%k", self.lanes, rest, whole)
        for r in range(rows):
            both_sums = [self.load(place) for place in sums[r]]
            total = self.let(f"fadd {self.type} {both_sums[0]}, {both_sums[1]}")
            place = self.at("%c", (r, "%ldc"))
            old = self.let(f"load {self.kind}, ptr {place}")
            old = self.let(f"select i1 %more, {self.kind} {old}, {self.kind} 0.0")
            total = self.let(
                f"call reassoc {self.kind} @llvm.vector.reduce.fadd.{self.suffix}"
                f"({self.kind} {old}, {self.type} {total})"
            )
            self.do(f"store {self.kind} {total}, ptr {place}")

    def piece(self):
        """Blocks of columns of `b`, one after the other, for all rows."""
        v = self.value
        depth = _BLOCK_BYTES // self.size // FEW

        def block(k):
            count = self.least(self.minus(v["k"], k), depth)
            pitch = self.let(f"and i64 {self.plus(count, self.lanes - 1)}, {-self.lanes}")
            more = self.test("ne", k, 0)
            source = self.at(self.b, (k, v["rb"]))
            self.do(
                f"call void @pack(ptr {self.room}, ptr {source}, i64 {pitch}, i64 {v['cb']}, "
                f"i64 {v['rb']}, i64 {self.width}, i64 {count})"
            )

            def row(rows, i):
                def column(j):
                    a, c = (
                        self.at(self.a, (i, v["ra"]), k),
                        self.at(self.c, (i, v["cr"]), (j, v["cc"])),
                    )
                    b = self.at(self.room, (j, pitch))
                    self.do(
                        f"call void @dots{rows}(ptr {a}, i64 {v['ra']}, ptr {b}, ptr {c}, "
                        f"i64 {v['cr']}, i64 {count}, i1 {more})"
                    )

                self.loop(self.width, column)

            whole = self.let(f"and i64 {self.height}, {-self.rows}")
            self.steps(whole, self.rows, lambda i: row(self.rows, i))
            self.steps(self.height, 1, lambda i: row(1, i), whole)

        self.steps(v["k"], depth, block)
        self.finish()


class Sums(_Few):
    """Products with so many columns: those of `a`, times numbers of `b`, are added up.

    Columns of `a` whose numbers do not follow each other are packed.
    """

    def __init__(self, kind, columns):
        super().__init__(kind)
        self.columns = columns
        # As many vectors of rows at once as have their sums in registers.
        self.vectors = max(min(registers()[1] * 3 // 4 // columns, FEW), 1)
        self.high = self.vectors * self.lanes

    def text(self, symbol):
        """The module."""
        self.pack()
        for vectors in {self.vectors, 1}:
            self.sums(vectors)
        self.entry_point(symbol)
        return self.module()

    def space(self):
        """Numbers of a tile of the result, and of the packed columns of one of `a`."""
        return self.high * (self.columns + PACKED)

    def sums(self, vectors):
        """@sums<vectors>: c[r, j] = the sum over k of a[r, k] * b[k, j], for all r < rows.

        There are as many rows as in these vectors or, if it is one, fewer.
        """
        more = "i64 %ca, ptr %b, i64 %rb, i64 %cb, ptr %c, i64 %cr, i64 %cc, i64 %k, i64 %rows"
        head = f"internal void @sums{vectors}(ptr %a, {more}, ptr %room)"
        self.function(head, lambda: self._sums(vectors))

    def _sums(self, vectors):
        sums = self.zeros(vectors)
        mask = self.lanes_below("%rows") if vectors == 1 else None

        def load(place):
            return self.load(place) if mask is None else self.masked_load(place, mask)

        def add(k):
            column, ahead = self.at("%a", (k, "%ca")), self.plus(k, _AHEAD)
            ahead = self.at("%a", (ahead, "%ca"))
            for v in range(vectors):
                place = self.at(ahead, v * self.lanes)
                self.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 3, i32 1)")
            xs = [load(self.at(column, v * self.lanes)) for v in range(vectors)]
            row = self.at("%b", (k, "%rb"))
            self.add_products(xs, [self.at(row, (j, "%cb")) for j in range(self.columns)], sums)

        self.loop("%k", add)
        self.write(sums, mask)

    def zeros(self, vectors):
        """The places of sums, [columns, vectors], which are zero."""
        sums = [[self.alloca(self.type) for _ in range(vectors)] for _ in range(self.columns)]
        for place in (place for column in sums for place in column):
            self.store("zeroinitializer", place)
        return sums

    def add_products(self, xs, places, sums):
        """Add vectors times each of the numbers at some places to the sums."""
        for place, column in zip(places, sums, strict=True):
            y = self.let(f"load {self.kind}, ptr {place}")
            y = self.let(f"insertelement {self.type} poison, {self.kind} {y}, i32 0")
            y = self.mixed(y, "poison", [0] * self.lanes)
            for x, total in zip(xs, column, strict=True):
                self.store(self.let(self.fma(x, y, self.load(total))), total)

    def write(self, sums, mask):
        """Put the sums in their places; with a mask, so many of the only vector."""
        along = self.test("eq", "%cr", 1)
        self.when(along, lambda: self._write(sums, mask), lambda: self._scatter(sums))

    def _write(self, sums, mask):
        """The result where its rows follow each other."""
        for j, column in enumerate(sums):
            for v, place in enumerate(column):
                to = self.at("%c", (j, "%cc"), v * self.lanes)
                if mask is None:
                    self.store(self.load(place), to)
                else:
                    self.masked_store(self.load(place), to, mask)

    def _scatter(self, sums):
        """The result anywhere, number by number."""
        across = len(sums[0]) * self.lanes
        for j, column in enumerate(sums):
            for v, place in enumerate(column):
                self.store(self.load(place), self.at("%room", j * across + v * self.lanes))

        def row(r):
            for j in range(len(sums)):
                x = self.let(f"load {self.kind}, ptr {self.at('%room', r, j * across)}")
                place = self.at("%c", (r, "%cr"), (j, "%cc"))
                self.do(f"store {self.kind} {x}, ptr {place}")

        self.loop("%rows", row)

    def piece(self):
        """Tiles of rows."""
        v = self.value
        packed = self.at(self.room, self.high * self.columns)
        there = self.test("eq", v["ra"], 1)
        pitch = self.select(there, v["ca"], self.high)

        def tile(i, vectors, rows):
            a, c = self.at(self.a, (i, v["ra"])), self.at(self.c, (i, v["cr"]))
            pack = (
                f"call void @pack(ptr {packed}, ptr {a}, i64 {self.high}, i64 {v['ca']}, "
                f"i64 {v['ra']}, i64 {v['k']}, i64 {rows})"
            )
            self.when(self.test("ne", v["ra"], 1), lambda: self.do(pack))
            a = self.let(f"select i1 {there}, ptr {a}, ptr {packed}")
            self.do(
                f"call void @sums{vectors}(ptr {a}, i64 {pitch}, ptr {self.b}, i64 {v['rb']}, "
                f"i64 {v['cb']}, ptr {c}, i64 {v['cr']}, i64 {v['cc']}, i64 {v['k']}, "
                f"i64 {rows}, ptr {self.room})"
            )

        self.in_tiles(tile)

    def in_tiles(self, tile):
        """Run `tile(first row, vectors, rows)` for all rows of the piece."""
        whole = self.times(self.quotient(self.height, self.high), self.high)
        self.steps(whole, self.high, lambda i: tile(i, self.vectors, self.high))

        def rest(i):
            tile(i, 1, self.least(self.minus(self.height, i), self.lanes))

        self.steps(self.height, self.lanes, rest, whole)
        self.finish()
