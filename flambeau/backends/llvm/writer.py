"""The text of LLVM IR, written line by line."""

__all__ = ["Writer"]


class Writer:
    """Writes the text of one function."""

    def __init__(self):
        self.lines, self.entry = [], []
        self.count = 0
        self.externals = {}

    def name(self):
        """A fresh name."""
        self.count += 1
        return f"%v{self.count}"

    def let(self, text):
        """The name of the result of an instruction."""
        name = self.name()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text):
        """An instruction without a result."""
        self.lines.append("  " + text)

    def label(self, name):
        """Start a block."""
        self.lines.append(f"{name}:")

    def alloca(self, kind, count=None):
        """Stack memory, made in the entry block."""
        name = self.name()
        size = f", i64 {count}" if count else ""
        self.entry.append(f"  {name} = alloca {kind}{size}, align 64")
        return name

    def external(self, definition):
        """Note a declaration or definition that the module needs."""
        self.externals.setdefault(definition)

    def when(self, condition, body, otherwise=None):
        """Run `body` if a condition holds, else `otherwise`."""
        self.count += 1
        n = self.count
        other = f"else{n}" if otherwise else f"endif{n}"
        self.do(f"br i1 {condition}, label %then{n}, label %{other}")
        self.label(f"then{n}")
        body()
        self.do(f"br label %endif{n}")
        if otherwise:
            self.label(f"else{n}")
            otherwise()
            self.do(f"br label %endif{n}")
        self.label(f"endif{n}")

    def loop(self, limit, body, start="0", marker=None, steps=False):
        """for i in range(start, limit): body(i), which returns the step if `steps`."""
        self.count += 1
        n = self.count
        counter = self.alloca("i64")
        self.do(f"store i64 {start}, ptr {counter}")
        self.do(f"br label %test{n}")
        self.label(f"test{n}")
        i = self.let(f"load i64, ptr {counter}")
        more = self.let(f"icmp slt i64 {i}, {limit}")
        self.do(f"br i1 {more}, label %body{n}, label %end{n}")
        self.label(f"body{n}")
        result = body(i)
        following = self.let(f"add nsw i64 {i}, {result if steps else 1}")
        self.do(f"store i64 {following}, ptr {counter}")
        suffix = f", !llvm.loop {marker}" if marker else ""
        self.do(f"br label %test{n}{suffix}")
        self.label(f"end{n}")
