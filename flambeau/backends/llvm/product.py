"""What the functions of matrix products have in common: their arguments, and pieces of results."""

from .panels import Panels

__all__ = ["ARGUMENTS", "Product"]

# What `args` of the native function holds: places of the memories, offsets, sizes, strides of rows,
# columns and batches of both operands, of rows and columns of the result, flags, rows and columns
# of a piece, and what follows: a kernel (or 0), its args, its tiles for each row, and the rows it
# is called for at once.
ARGUMENTS = ("ia", "ib", "ic", "offa", "offb", "m", "n", "k", "ra", "ca", "rb", "cb", "sa", "sb")
ARGUMENTS += ("cr", "cc", "fa", "fb", "rows", "columns", "kernel", "ka", "each", "at_once")


class Product(Panels):
    """Writes the function of products: what `args` says of them, and the pieces of the result."""

    def arguments(self):
        """Names for all of `args`."""
        self.value = {}
        for n, name in enumerate(ARGUMENTS):
            place = self.let(f"getelementptr i64, ptr %args, i64 {n}")
            self.value[name] = self.let(f"load i64, ptr {place}")

    def base(self, operand, offset="0"):
        """The address where an operand starts."""
        place = self.let(f"getelementptr ptr, ptr %bufs, i64 {self.value['i' + operand]}")
        return self.at(self.let(f"load ptr, ptr {place}"), offset)

    def entry_point(self, symbol):
        """What a program's table calls: pieces of the result of all batches, by number."""
        arguments = "i64 %begin, i64 %end, ptr %args, ptr %bufs, ptr %scalars, ptr %status"
        self.function(f"void @{symbol}({arguments})", self._entry_point)

    def _entry_point(self):
        self.arguments()
        v = self.value
        a, b, c = self.base("a", v["offa"]), self.base("b", v["offb"]), self.base("c")
        down = self.quotient(self.plus(v["m"], self.minus(v["rows"], 1)), v["rows"])
        across = self.quotient(self.plus(v["n"], self.minus(v["columns"], 1)), v["columns"])
        memory = self.let(f"call ptr @malloc(i64 {self.space() * self.size + 64})")
        number = self.let(f"ptrtoint ptr {memory} to i64")
        number = self.let(f"and i64 {self.plus(number, 63)}, -64")
        self.room = self.let(f"inttoptr i64 {number} to ptr")

        def piece(t):
            """The pieces from `t` on that are below each other."""
            strip, place = self.quotient(t, down), self.let(f"srem i64 {t}, {down}")
            batch, side = self.quotient(strip, across), self.let(f"srem i64 {strip}, {across}")
            row, column = self.times(place, v["rows"]), self.times(side, v["columns"])
            count = self.least(self.minus("%end", t), self.minus(down, place))
            self.height = self.least(self.minus(v["m"], row), self.times(count, v["rows"]))
            self.width = self.least(self.minus(v["n"], column), v["columns"])
            self.batch, self.row, self.column = batch, row, column
            self.first = self.plus(self.times(batch, v["m"]), row)
            self.a, self.b = self.at(a, (batch, v["sa"])), self.at(b, (batch, v["sb"]))
            self.corner()
            whole = self.times(batch, self.times(v["m"], v["n"]))
            self.c = self.at(c, whole, (row, v["cr"]), (column, v["cc"]))
            self.piece()
            return count

        self.loop("%end", piece, "%begin", steps=True)
        self.do(f"call void @free(ptr {memory})")

    def corner(self):
        """Let `a` start at the first row of a piece, and `b` at its first column."""
        self.a = self.at(self.a, (self.row, self.value["ra"]))
        self.b = self.at(self.b, (self.column, self.value["cb"]))

    def follow(self, start, end):
        """Let the kernel go on with these rows of the piece, which are finished."""

        def call():
            kernel = self.let(f"inttoptr i64 {self.value['kernel']} to ptr")
            args = self.let(f"inttoptr i64 {self.value['ka']} to ptr")
            span = [self.times(self.plus(self.first, i), self.value["each"]) for i in (start, end)]
            self.do(
                f"call void {kernel}(i64 {span[0]}, i64 {span[1]}, ptr {args}, ptr %bufs, "
                "ptr %scalars, ptr %status)"
            )

        self.when(self.test("ne", self.value["kernel"], 0), call)
