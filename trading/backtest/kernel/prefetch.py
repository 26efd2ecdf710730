"""Bars asked for before they are read: a pass that jumps from decision to decision waits for memory otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Floats

_READ, _KEEP_CLOSE, _DATA = 0, 3, 1


def _asked(_typing: Any, bars: Any, _row: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        held = context.make_array(kind)(context, builder, given[0])
        first = context.get_constant(types.intp, 0)
        place = cgutils.get_item_pointer(context, builder, kind, held, [given[1], first])
        words = [ir.Constant(ir.IntType(32), word) for word in (_READ, _KEEP_CLOSE, _DATA)]
        call = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, *(word.type for word in words)])
        told = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], call)
        builder.call(told, [builder.bitcast(place, cgutils.voidptr_t), *words])
        return context.get_dummy_value()

    return types.void(bars, types.intp), generate


prefetch: Callable[[Floats, int], None] = intrinsic(_asked)
"""Ask the processor to bring a row of (T, N) bars, from its first figure on, close to it; changes nothing.

`llvm.prefetch` of the LLVM Language Reference: a hint, which a processor without such an instruction passes over.
"""
