"""Prints what the compiler makes of a program (`FLAMBEAU_SHOW=trace,program,kernels,plan,llvm`)."""

__all__ = ["show_plan", "show_trace"]


def show_trace(path):
    """Print the records of a trace, each with its line."""
    for state in path:
        file, line = state.line or ("?", 0)
        print(f"{state!r}  {file}:{line}")


def show_plan(plan):
    """Print the calls in order, what each computes and the memory it uses."""
    for k, call in enumerate(plan.calls):
        reads = ", ".join(str(plan.place[m]) for m in call.reads if m is not None)
        writes = ", ".join(str(plan.place[m]) for m in call.writes)
        print(f"{k}: {call.kind} [{reads}] -> [{writes}]")
        if call.kind != "loops":
            print(f"    {call.node}")
            continue
        kernel = call.kernel
        mode, outer, fold, *_ = kernel.key
        print(f"    {mode}, {outer} outer and {fold} folded loops, {kernel.tiles} tiles")
        for number, (name, dtype, operands, extra) in enumerate(kernel.key[4]):
            level, phase = kernel.key[5][number]
            print(f"    {number:3} {level}{phase} {name}.{dtype} {operands} {extra or ''}")
    print(f"arena {plan.arena} bytes, {len(plan.offsets)} temporaries")
