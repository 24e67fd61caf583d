"""Matrix products of operands whose rows and columns lie anywhere, such as the windows of an image.

Tables tell where: an element is at the sum of the offset of its row and that of its column. What is
packed anyway is read from there, so that windows, which overlap, are never written out.

D. A. Matthews, "High-Performance Tensor Contraction without Transposition", 2018.
"""

from .few import Sums
from .product import Product
from .tiles import Tiles

__all__ = ["PADDING", "Spread", "SpreadSums"]

PADDING = 64  # entries behind the last one of a table, which are read but not used


class _Tables(Product):
    """Reads operands by tables."""

    def corner(self):
        """Nothing: offsets of rows and columns are in the tables."""

    def table(self, name, index):
        """The address of an entry of a table."""
        table = self.let(f"inttoptr i64 {self.value[name]} to ptr")
        return self.let(f"getelementptr i64, ptr {table}, i64 {index}")

    def offset(self, table, index):
        """An entry of a table."""
        place = self.let(f"getelementptr i64, ptr {table}, i64 {index}")
        return self.let(f"load i64, ptr {place}")

    def _neighbours(self, table, start):
        """(whether as many entries as there are lanes are neighbours, the first of them)."""
        all_there, two, (first, _), _ = self.runs(table, start, self.lanes)
        return self.let(f"select i1 {two}, i1 false, i1 {all_there}"), first

    def runs(self, table, start, count):
        """Two runs of neighbours among some entries of a table.

        Returns (whether they are all there is, for both the offset of lane 0 and the lanes).
        """
        kind, lanes = f"<{self.lanes} x i64>", self.lanes
        mask, whole = f"<{lanes} x i1>", f"i{lanes}"
        numbers = ", ".join(f"i64 {j}" for j in range(lanes))
        place = self.let(f"getelementptr i64, ptr {table}, i64 {start}")
        offsets = self.let(f"load {kind}, ptr {place}, align 8")
        starts = self.let(f"sub {kind} {offsets}, <{numbers}>")
        valid = self.lanes_below(count)

        def run(lane, among):
            first = self.let(f"extractelement {kind} {starts}, i64 {lane}")
            same = self.let(f"icmp eq {kind} {starts}, {self.on_all_lanes(first)}")
            return first, self.let(f"and {mask} {same}, {among}")

        first, lanes_first = run("0", valid)
        left = self.let(f"xor {mask} {valid}, {lanes_first}")
        bits = self.let(f"bitcast {mask} {left} to {whole}")
        lane = self.let(f"call {whole} @llvm.cttz.{whole}({whole} {bits}, i1 false)")
        lane = self.let(f"zext {whole} {lane} to i64")
        some = self.test("slt", lane, lanes)
        second, lanes_second = run(self.select(some, lane, "0"), left)
        rest = self.let(f"xor {mask} {left}, {lanes_second}")
        rest = self.let(f"bitcast {mask} {rest} to {whole}")
        all_there = self.let(f"icmp eq {whole} {rest}, 0")
        return all_there, some, (first, lanes_first), (second, lanes_second)

    def read(self, source, runs):
        """The vector of one or two runs of neighbours."""
        (first, lanes_first), (second, lanes_second) = runs
        x = self.masked_load(self.at(source, first), lanes_first)
        if second is None:
            return x
        y = self.masked_load(self.at(source, second), lanes_second)
        mask = f"<{self.lanes} x i1>"
        return self.let(f"select {mask} {lanes_first}, {self.type} {x}, {self.type} {y}")


class Spread(_Tables, Tiles):
    """As `Tiles`; "ra", "ca", "rb" and "cb" of `args` are the addresses of tables.

    "fa" and "fb" tell along which of their dims more elements of the operands follow each other:
    0 along columns of `a` and rows of `b`, which are the inner dim, 1 along the other one.
    """

    def pack(self):
        """@pack and what it consists of."""
        arguments = "ptr noalias %dst, ptr noalias %src, i64 %pitch, ptr %rs, ptr %cs, "
        arguments += "i64 %rows, i64 %columns"
        self.function(f"internal void @pack_along({arguments})", self._pack_along)
        self.function(f"internal void @pack_across({arguments})", self._pack_across)
        self.function(f"internal void @pack({arguments}, i1 %along)", self._pack)

    def _pack(self):
        given = "ptr %dst, ptr %src, i64 %pitch, ptr %rs, ptr %cs, i64 %rows, i64 %columns"
        self.when(
            "%along",
            lambda: self.do(f"call void @pack_along({given})"),
            lambda: self.do(f"call void @pack_across({given})"),
        )

    def place_panels(self, j, k, depth, whole):
        """All panels are packed."""
        self.panels, self.ldb = self.room, self.across
        self.apart = self.times(depth, self.across)
        return "0"

    def together(self):
        """One tile of `a` is packed at a time."""
        return self.high

    def pack_b(self, to, k, j, depth, width):
        """Pack a panel of `b`, which starts at (k, j)."""
        rows, columns = self.table("rb", k), self.table("cb", self.plus(self.column, j))
        self._call_pack(to, self.b, self.across, rows, columns, depth, width, "fb")

    def pack_a(self, to, i, k, height, depth):
        """Pack the rows of a tile of `a`, which starts at (i, k)."""
        rows, columns = self.table("ca", k), self.table("ra", self.plus(self.row, i))
        self._call_pack(to, self.a, self.pitch, rows, columns, depth, height, "fa")

    def _call_pack(self, to, source, pitch, rows, columns, depth, count, flag):
        along = self.test("ne", self.value[flag], 0)
        self.do(
            f"call void @pack(ptr {to}, ptr {source}, i64 {pitch}, ptr {rows}, ptr {columns}, "
            f"i64 {depth}, i64 {count}, i1 {along})"
        )

    def _by_runs(self, found, body, otherwise):
        """Run `body(runs)` where entries are one or two runs of neighbours."""
        all_there, two, first, second = found
        both = lambda: body((first, second))  # noqa: E731
        one = lambda: body((first, (None, None)))  # noqa: E731
        self.when(all_there, lambda: self.when(two, both, one), otherwise)

    def _number(self, r, c):
        """Pack one number."""
        source = self.at("%src", self.offset("%rs", r), self.offset("%cs", c))
        x = self.let(f"load {self.kind}, ptr {source}")
        self.do(f"store {self.kind} {x}, ptr {self.at('%dst', (r, '%pitch'), c)}")

    def _pack_along(self):
        """Vectors along columns, for all rows."""

        def group(c):
            count = self.least(self.minus("%columns", c), self.lanes)

            def vectors(runs):
                def row(r):
                    x = self.read(self.at("%src", self.offset("%rs", r)), runs)
                    self.store(x, self.at("%dst", (r, "%pitch"), c))

                self.loop("%rows", row)

            def numbers():
                end = self.plus(c, count)
                self.loop("%rows", lambda r: self.loop(end, lambda d: self._number(r, d), c))

            self._by_runs(self.runs("%cs", c, count), vectors, numbers)

        def pair(c):
            second = self.plus(c, self.lanes)
            (one, first), (other, following) = (self._neighbours("%cs", x) for x in (c, second))

            def row(r):
                source = self.at("%src", self.offset("%rs", r))
                to = self.at("%dst", (r, "%pitch"), c)
                x, y = (self.load(self.at(source, run)) for run in (first, following))
                self.store(x, to)
                self.store(y, self.at(to, self.lanes))

            self.when(
                self.let(f"and i1 {one}, {other}"),
                lambda: self.loop("%rows", row),
                lambda: [group(c), group(second)],
            )

        pairs = self.let(f"and i64 %columns, {-2 * self.lanes}")
        self.steps(pairs, 2 * self.lanes, pair)
        self.steps("%columns", self.lanes, group, pairs)

    def _pack_across(self):
        """Squares of vectors along rows, turned in registers.

        Columns that are not there are read from the last one.
        """
        whole = self.let(f"and i64 %rows, {-self.lanes}")
        end = self.minus("%columns", 1)

        def square(r, c, runs):
            columns = [self.least(self.plus(c, j), end) for j in range(self.lanes)]
            sources = [self.at("%src", self.offset("%cs", column)) for column in columns]
            to = self.at("%dst", (r, "%pitch"), c)
            for j, x in enumerate(self.turned([self.read(source, runs) for source in sources])):
                to = self.at(to, "%pitch") if j else to
                self.store(x, to)

        def numbers(start, end):
            self.loop(end, lambda r: self.loop("%columns", lambda c: self._number(r, c)), start)

        def band(r):
            def squares(runs):
                self.steps("%columns", self.lanes, lambda c: square(r, c, runs))

            found = self.runs("%rs", r, self.lanes)
            self._by_runs(found, squares, lambda: numbers(r, self.plus(r, self.lanes)))

        self.steps(whole, self.lanes, band)
        numbers(whole, "%rows")


class SpreadSums(_Tables, Sums):
    """As `Sums`, of operands that tables tell the places of; nothing is packed.

    Each vector of rows of `a` consists of two runs of neighbours at most.
    """

    def sums(self, vectors):
        """@sums<vectors>, as that of `Sums`."""
        more = "ptr %rb, ptr %cb, ptr %c, i64 %cr, i64 %cc, i64 %k, i64 %rows"
        head = f"internal void @sums{vectors}(ptr %a, ptr %ra, ptr %ca, ptr %b, {more}"
        self.function(f"{head}, ptr %room)", lambda: self._spread_sums(vectors))

    def _spread_sums(self, vectors):
        sums, runs = self.zeros(vectors), []
        for v in range(vectors):
            start = v * self.lanes
            _, _, first, second = self.runs("%ra", start, self.minus("%rows", start))
            runs.append((first, second))
        columns = [self.at("%b", self.offset("%cb", j)) for j in range(self.columns)]

        def add(k):
            source, below = self.at("%a", self.offset("%ca", k)), self.offset("%rb", k)
            xs = [self.read(source, pair) for pair in runs]
            self.add_products(xs, [self.at(column, below) for column in columns], sums)

        self.loop("%k", add)
        self.write(sums, self.lanes_below("%rows") if vectors == 1 else None)

    def piece(self):
        """Tiles of rows."""
        v = self.value
        tables = [self.table(name, "0") for name in ("ca", "rb")]
        columns = self.table("cb", self.column)

        def tile(i, vectors, rows):
            below, c = self.table("ra", self.plus(self.row, i)), self.at(self.c, (i, v["cr"]))
            self.do(
                f"call void @sums{vectors}(ptr {self.a}, ptr {below}, ptr {tables[0]}, "
                f"ptr {self.b}, ptr {tables[1]}, ptr {columns}, ptr {c}, i64 {v['cr']}, "
                f"i64 {v['cc']}, i64 {v['k']}, i64 {rows}, ptr {self.room})"
            )

        self.in_tiles(tile)
