"""Matrix products: both operands packed for the caches, tiles of the result held in registers.

The result is cut into tiles of some rows and one or two vectors of columns. A tile stays in
registers while its products are summed over a block of the inner dimension: each step loads a row
of a packed panel of `b` and multiplies it by one number after the other of packed `a`. The packed
rows of `a` are few enough to stay in the first cache while all panels of a block of `b`, which
stays in the second, pass by. A kernel that goes on with rows of the result is run on them while
they are in the cache.

K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.
"""

from .panels import registers
from .product import Product

__all__ = ["TOGETHER", "Tiles", "heights"]

_ROW_BYTES = 1 << 11  # of a row of `a` in a block of the inner dimension, at most
_BLOCK_BYTES = 1 << 20  # of a packed block of `b`, at most
_NEAR_BYTES = 1 << 15  # of a block of `b` that stays in the first cache as it is
TOGETHER = 4  # tiles of `a` that are packed at once where its columns follow each other
_AHEAD = 16  # rows of `b` that are fetched before they are needed


def heights(vectors):
    """The numbers of rows that tiles with so many vectors across can have, falling."""
    heights = [(registers()[1] - 2 - vectors) // 2]
    while heights[-1] > 1:
        heights.append(1 << (heights[-1] - 1).bit_length() - 1)
    return heights


class Tiles(Product):
    """Products in tiles of registers, `vectors` vectors across."""

    def __init__(self, kind, vectors):
        super().__init__(kind)
        self.vectors = vectors
        self.across = vectors * self.lanes
        self.heights = heights(vectors)
        self.high = self.heights[0]
        self.pitch = -(-self.high // self.lanes) * self.lanes
        self.depth = _ROW_BYTES // self.size
        self.block = _BLOCK_BYTES // self.size

    def text(self, symbol):
        """The module."""
        self.pack()
        self.edge()
        for height in self.heights:
            self.tile(height)
            self.band(height)
        self.entry_point(symbol)
        return self.module()

    def space(self):
        """How many numbers are packed at once, of `b` and `a`, and how many an edge has."""
        return self.block + TOGETHER * self.depth * self.pitch + self.high * self.across

    def tile(self, height):
        """@tile<height>: c[r, :] = (c[r, :] if more else 0) + the sum over k of a[r, k] * b[k, :].

        There are `pitch` numbers of `a` for each k; rows of `b` are `ldb` apart.
        """
        more = "i64 %ldb, ptr %c, i64 %ldc, i64 %k, i1 %more"
        head = f"internal void @tile{height}(ptr %a, ptr %b, {more})"
        self.function(head, lambda: self._tile(height))

    def _tile(self, height):
        kind, columns = self.type, range(self.vectors)
        places, row = [], "%c"
        for r in range(height):
            row = self.at(row, "%ldc") if r else row
            self.do(f"call void @llvm.prefetch.p0(ptr {row}, i32 1, i32 3, i32 1)")
            places += [self.at(row, v * self.lanes) for v in columns]
        self.do("br i1 %more, label %old, label %sum")
        self.label("old")
        old = [self.load(place) for place in places]
        self.do("br label %sum")
        self.label("sum")
        sums = [
            self.let(f"phi {kind} [ zeroinitializer, %start ], [ {x}, %old ], [ %t{n}, %sum ]")
            for n, x in enumerate(old)
        ]
        i = self.let("phi i64 [ 0, %start ], [ 0, %old ], [ %next, %sum ]")
        line, column = self.at("%b", (i, "%ldb")), self.at("%a", (i, self.pitch))
        factors = [self.load(self.at(line, v * self.lanes)) for v in columns]
        ahead = self.at(line, (_AHEAD, "%ldb"))
        for v in columns:
            place = self.at(ahead, v * self.lanes)
            self.do(f"call void @llvm.prefetch.p0(ptr {place}, i32 0, i32 3, i32 1)")
        for r in range(height):
            x = self.let(f"load {self.kind}, ptr {self.at(column, r)}")
            x = self.let(f"insertelement {kind} poison, {self.kind} {x}, i32 0")
            x = self.mixed(x, "poison", [0] * self.lanes)
            for v, y in enumerate(factors):
                n = r * self.vectors + v
                self.do(f"%t{n} = {self.fma(x, y, sums[n])}")
        self.do(f"%next = add nsw i64 {i}, 1")
        again = self.test("slt", "%next", "%k")
        self.do(f"br i1 {again}, label %sum, label %out")
        self.label("out")
        for n, place in enumerate(places):
            self.store(f"%t{n}", place)

    def edge(self):
        """@edge: c = (c if more else 0) + a tile that has more columns than there are in c."""
        self.function(
            "internal void @edge(ptr %tile, ptr %c, i64 %ldc, i64 %height, i64 %width, i1 %more)",
            self._edge,
        )

    def _edge(self):
        masks = [
            self.lanes_below(self.minus("%width", v * self.lanes)) for v in range(self.vectors)
        ]

        def row(r):
            for v, mask in enumerate(masks):
                place = self.at("%c", (r, "%ldc"), v * self.lanes)
                x = self.load(self.at("%tile", (r, self.across), v * self.lanes))
                total = self.let(f"fadd {self.type} {x}, {self.masked_load(place, mask)}")
                kept = self.let(f"select i1 %more, {self.type} {total}, {self.type} {x}")
                self.masked_store(kept, place, mask)

        self.loop("%height", row)

    def band(self, height):
        """@band<height>: a few rows of the result, of all columns of a block of `b`.

        Panels of `b` are `panel` apart, its rows `ldb`, but those of `last`, which has fewer
        columns, as they are packed.
        """
        more = "i64 %ldb, i64 %panel, ptr %last, ptr %c, i64 %ldc, i64 %n, i64 %k, i1 %more"
        head = f"internal void @band{height}(ptr %a, ptr %b, {more}, ptr %edge)"
        self.function(head, lambda: self._band(height))

    def _band(self, height):
        whole = self.let(f"and i64 %n, {-self.across}")
        call = f"call void @tile{height}(ptr %a, ptr "

        def panel(j):
            number = self.quotient(j, self.across)
            b, c = self.at("%b", (number, "%panel")), self.at("%c", j)
            self.do(f"{call}{b}, i64 %ldb, ptr {c}, i64 %ldc, i64 %k, i1 %more)")

        def rest():
            self.do(
                f"{call}%last, i64 {self.across}, ptr %edge, i64 {self.across}, i64 %k, i1 false)"
            )
            c, width = self.at("%c", whole), self.minus("%n", whole)
            self.do(
                f"call void @edge(ptr %edge, ptr {c}, i64 %ldc, i64 {height}, i64 {width}, "
                "i1 %more)"
            )

        self.steps(whole, self.across, panel)
        self.when(self.test("slt", whole, "%n"), rest)

    def piece(self):
        """All blocks of `b` for a piece of the result."""
        k = self.value["k"]
        blocks = self.quotient(self.plus(k, self.depth - 1), self.depth)
        depth = self.quotient(self.plus(k, self.minus(blocks, 1)), blocks)
        columns = self.let(f"and i64 {self.quotient(self.block, depth)}, {-self.across}")
        self.steps(
            self.width,
            columns,
            lambda j: self.steps(k, depth, lambda i: self._block(j, i, columns, depth)),
        )

    def _block(self, j, k, columns, depth):
        """All rows of the piece for the block of `b` that starts at (k, j)."""
        v = self.value
        columns = self.least(self.minus(self.width, j), columns)
        depth = self.least(self.minus(v["k"], k), depth)
        whole = self.let(f"and i64 {columns}, {-self.across}")

        def panel(p):
            to = self.at(self.room, (p, depth))
            width = self.least(self.minus(columns, p), self.across)
            self.when(self.test("slt", width, self.across), lambda: self.clear(to, depth))
            self.pack_b(to, k, self.plus(j, p), depth, width)

        packed = self.place_panels(j, k, depth, whole)
        self.steps(columns, self.across, panel, packed)
        self.last = self.at(self.room, (whole, depth))
        ended = self.test("eq", self.plus(k, depth), v["k"])
        right = self.test("eq", self.plus(j, columns), self.width)
        ended = self.let(f"and i1 {ended}, {right}")

        def rows(i):
            end = self.least(self.height, self.plus(i, v["at_once"]))
            self._rows(i, end, j, k, columns, depth)
            self.when(ended, lambda: self.follow(i, end))

        self.steps(self.height, v["at_once"], rows)

    def place_panels(self, j, k, depth, whole):
        """Where the panels of a block of `b` are; returns the first column that is to be packed."""
        v = self.value
        corner = self.at(self.b, (k, v["rb"]), (j, v["cb"]))
        few = self.test("sle", self.height, self.high)
        small = self.test("sle", self.times(v["rb"], depth), _NEAR_BYTES // self.size)
        along = self.test("eq", v["cb"], 1)
        direct = self.let(f"or i1 {few}, {small}")  # packing would take longer than it saves
        direct = self.let(f"and i1 {direct}, {along}")
        self.panels = self.let(f"select i1 {direct}, ptr {corner}, ptr {self.room}")
        self.ldb = self.select(direct, v["rb"], self.across)
        self.apart = self.select(direct, self.across, self.times(depth, self.across))
        return self.select(direct, whole, "0")

    def pack_b(self, to, k, j, depth, width):
        """Pack a panel of `b`, which starts at (k, j)."""
        v = self.value
        source = self.at(self.b, (k, v["rb"]), (j, v["cb"]))
        self.do(
            f"call void @pack(ptr {to}, ptr {source}, i64 {self.across}, i64 {v['rb']}, "
            f"i64 {v['cb']}, i64 {depth}, i64 {width})"
        )

    def pack_a(self, to, i, k, height, depth):
        """Pack the rows of a tile of `a`, which starts at (i, k)."""
        v = self.value
        source = self.at(self.a, (i, v["ra"]), (k, v["ca"]))
        self.do(
            f"call void @pack(ptr {to}, ptr {source}, i64 {self.pitch}, i64 {v['ca']}, "
            f"i64 {v['ra']}, i64 {depth}, i64 {height})"
        )

    def together(self):
        """How many rows of `a` are packed at once.

        Packed numbers are read soonest if they are of one tile. But where the columns of `a` follow
        each other, what a tile reads shares cache lines with the next.
        """
        down = self.test("eq", self.value["ra"], 1)
        return self.select(down, TOGETHER * self.high, self.high)

    def clear(self, panel, depth):
        """Zeros for what a panel has no columns for: what lay there could be slow to multiply."""
        size = self.times(depth, self.across * self.size)
        self.do(f"call void @llvm.memset.p0.i64(ptr {panel}, i8 0, i64 {size}, i1 false)")

    def _rows(self, start, end, j, k, columns, depth):
        """Some rows of the piece for a block."""
        v = self.value
        packed = self.at(self.room, self.block)
        edge = self.at(packed, TOGETHER * self.depth * self.pitch)
        more = self.test("ne", k, 0)
        together = self.together()

        def place(i, first):
            tile = self.quotient(self.minus(i, first), self.high)
            return self.at(packed, (tile, self.times(depth, self.pitch)))

        def pack(i, first, last):
            height = self.least(self.minus(last, i), self.high)
            self.pack_a(place(i, first), i, k, height, depth)

        def band(height, a, i):
            c = self.at(self.c, (i, v["n"]), j)
            self.do(
                f"call void @band{height}(ptr {a}, ptr {self.panels}, i64 {self.ldb}, "
                f"i64 {self.apart}, ptr {self.last}, ptr {c}, i64 {v['n']}, i64 {columns}, "
                f"i64 {depth}, i1 {more}, ptr {edge})"
            )

        def fewer(a, i, left):
            for height in self.heights[1:]:
                bit = self.let(f"and i64 {left}, {height}")
                some = self.test("ne", bit, 0)
                self.when(some, lambda h=height, a=a, i=i: band(h, a, i))
                a, i = self.at(a, bit), self.plus(i, bit)

        def multiply(i, first, last):
            a, left = place(i, first), self.minus(last, i)
            whole = self.test("sge", left, self.high)
            self.when(whole, lambda: band(self.high, a, i), lambda: fewer(a, i, left))

        def group(first):
            last = self.least(end, self.plus(first, together))
            self.steps(last, self.high, lambda i: pack(i, first, last), first)
            self.steps(last, self.high, lambda i: multiply(i, first, last), first)

        self.steps(end, together, group, start)
