"""Sums of a kernel over everything that happened before, fast: sum over k < n_i of w_k K(t_i - s_k).

A law of the loss adds up, at every step where a loss is wanted, what each earlier change of the rate still does there.
Written out that is one kernel for every pair; here the sources are cut into dyadic blocks, and a block that is at least
as far away as it is long is replaced by a few Chebyshev nodes:

    K(t - s) = sum_j l_j(s) K(t - s_j) + error,   so   sum_k w_k K(t - s_k) = sum_j W_j K(t - s_j)

with l_j the Lagrange polynomials of the nodes s_j and the exact discrete moments W_j = sum_k w_k l_j(s_k), which pass
from two halves to their whole without error. The places of the sources may be anything ascending: what has to be smooth
is the kernel alone, and one that is analytic for distances above 0 loses a factor 5.8 with each node (an ellipse of
Bernstein around the block, Trefethen, Approximation Theory and Practice, 2013, theorem 8.2). Leaves are summed exactly.

Sources may have a second coordinate, the scale by which their distances are multiplied (the multi-power law has one):
then the nodes are a grid of places and logarithms of scales.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Kernel = Callable[[FloatArray], FloatArray]

MANY = 2000  # targets, from which on rows of them share their choice of blocks
LEAF = 32  # sources of the smallest blocks, which are summed one by one
WIDEST = np.log(4.0)  # ratio of the scales in one block
CHUNK = 4_000_000  # distances held at a time
MOST = 600.0  # of a logarithm, so that nothing overflows


def scales(logs: FloatArray, gamma: float) -> FloatArray:
    """Return e^-gamma for scales e, from their logarithms; no more than e^600, where a scale is next to 0."""
    return np.exp(np.minimum(-gamma * logs, MOST))


def block_for(targets: int) -> int:
    """Return how many targets should share a choice of blocks."""
    return 1 if targets < MANY else LEAF


@final
@dataclass(frozen=True, eq=False)
class Axis:
    """Chebyshev nodes over every block of every level, along one coordinate of the sources.

    Args:
        values: (blocks, LEAF), the coordinate of the sources; what fills up the last blocks repeats the last source.
        count: nodes in a block.
    """

    values: FloatArray
    count: int

    @cached_property
    def bounds(self) -> list[tuple[FloatArray, FloatArray]]:
        """Return the least and the largest value of each block, the leaves first, then their pairs, up to one block."""
        levels = [(self.values.min(1), self.values.max(1))]
        while len(levels[-1][0]) > 1:
            low, high = levels[-1]
            levels.append((low.reshape(-1, 2).min(1), high.reshape(-1, 2).max(1)))
        return levels

    @cached_property
    def nodes(self) -> list[FloatArray]:
        """Return the nodes of each level, (blocks, count)."""
        unit = np.cos(np.pi * (np.arange(self.count) + 0.5) / self.count)
        return [(low + high)[:, None] / 2 + (high - low)[:, None] / 2 * unit for low, high in self.bounds]

    def lagrange(self, level: int, points: FloatArray) -> FloatArray:
        """Evaluate the polynomials of each block of a level at some points of its own, (blocks, points, count)."""
        low, high = (bound[:, None] for bound in self.bounds[level])
        half = np.where(high > low, (high - low) / 2, 1.0)
        unit = np.clip((points - (low + high) / 2) / half, -1, 1)
        chebyshev = np.polynomial.chebyshev.chebvander(unit, self.count - 1)
        order = np.arange(self.count)
        matrix = np.cos(np.pi * order[:, None] * (order + 0.5) / self.count) * 2 / self.count
        matrix[0] /= 2
        polynomials: FloatArray = chebyshev @ matrix
        return polynomials

    @cached_property
    def into_leaves(self) -> FloatArray:
        """Return the matrices from sources to the nodes of their leaf, (blocks, LEAF, count)."""
        return self.lagrange(0, self.values)

    @cached_property
    def into_parents(self) -> list[FloatArray]:
        """Return the matrices from the nodes of two halves to their whole, (blocks, 2, count, count) a level."""
        halves = [nodes.reshape(len(nodes) // 2, -1) for nodes in self.nodes[:-1]]
        matrices = [self.lagrange(level + 1, points) for level, points in enumerate(halves)]
        return [matrix.reshape(len(matrix), 2, self.count, self.count) for matrix in matrices]


@final
@dataclass(frozen=True, eq=False)
class Moments:
    """Weights as a view needs them: of the sources of each leaf, and of the nodes of each block, leaves first.

    Args:
        leaves: (sets of weights, leaves, LEAF).
        blocks: (sets of weights, blocks, nodes).
    """

    leaves: FloatArray
    blocks: FloatArray


@final
class SourceTree:
    """Sources at ascending places, in blocks.

    Args:
        places: (n,), ascending.
        nodes: in each block, along the places; 10 give 1e-9 of the kernel's size.
        log_scales: (n,), logarithms of the factors on the distances of each source; None: all distances count alike.
        scale_nodes: in each block, along the logarithms of the scales.
    """

    def __init__(
        self, places: FloatArray, nodes: int = 10, log_scales: FloatArray | None = None, scale_nodes: int = 8
    ) -> None:
        self.size = len(places)
        leaves = 1 << max(0, int(np.ceil(np.log2(max(1, self.size) / LEAF))))
        self._padded = leaves * LEAF
        self.axes = [Axis(self._fill(places), nodes)]
        if log_scales is not None:
            self.axes.append(Axis(self._fill(log_scales), scale_nodes))

    def _fill(self, values: FloatArray) -> FloatArray:
        return np.pad(values, (0, self._padded - self.size), mode="edge").reshape(-1, LEAF)

    @cached_property
    def nodes(self) -> list[FloatArray]:
        """Return for each coordinate the nodes of all levels in a row, leaves first, (blocks, nodes)."""
        along: list[FloatArray] = [np.concatenate(axis.nodes) for axis in self.axes]
        if len(along) == 1:
            return along
        grid = (len(along[0]), along[0].shape[1], along[1].shape[1])
        places, scales = along[0][:, :, None], along[1][:, None, :]
        return [np.broadcast_to(axis, grid).reshape(len(along[0]), -1) for axis in (places, scales)]

    def moments(self, *weights: FloatArray) -> Moments:
        """Return sets of weights (n,), one or more, at the sources of the leaves and at the nodes of every block."""
        filled = np.zeros((len(weights), self._padded))
        filled[:, : self.size] = weights
        leaves: FloatArray = filled.reshape(len(weights), -1, LEAF)
        levels = [_leaf_moments(leaves, [axis.into_leaves for axis in self.axes])]
        for level in range(len(self.axes[0].into_parents)):
            levels.append(_parent_moments(levels[-1], [axis.into_parents[level] for axis in self.axes]))
        flat = [level.reshape(*level.shape[:2], -1) for level in levels]
        return Moments(leaves, np.concatenate(flat, axis=1))

    def view_from(self, targets: FloatArray, counts: IntArray, block: int = 1) -> "View":
        """Return the same sources from some targets.

        Args:
            targets: (m,), ascending; none before the sources that count for it.
            counts: (m,), ascending: for target i the first counts[i] sources count.
            block: targets that share one choice of blocks; 1 for some hundreds, 32 for many thousands.
        """
        rows = -(-len(targets) // block)
        more = (0, rows * block - len(targets))
        wide: FloatArray = np.pad(targets, more, mode="edge").reshape(rows, block)
        padded: IntArray = np.pad(counts, more, mode="edge").reshape(rows, block)
        return View(self, wide, padded, len(targets))


def _leaf_moments(weights: FloatArray, lagrange: Sequence[FloatArray]) -> FloatArray:
    """Return the moments of the leaves, (sets, blocks, nodes) or (sets, blocks, nodes, nodes of the scales)."""
    moments: FloatArray
    if len(lagrange) == 1:
        moments = np.matmul(weights.swapaxes(0, 1), lagrange[0]).swapaxes(0, 1)
    else:
        moments = np.einsum("wbk,bkj,bki->wbji", weights, *lagrange, optimize=True)
    return moments


def _parent_moments(moments: FloatArray, transfers: Sequence[FloatArray]) -> FloatArray:
    """Return the moments of the blocks one level up."""
    sets, blocks, *nodes = moments.shape
    parents: FloatArray
    if len(transfers) == 1:
        both = moments.reshape(sets, blocks // 2, -1).swapaxes(0, 1)
        parents = np.matmul(both, transfers[0].reshape(blocks // 2, -1, *nodes)).swapaxes(0, 1)
    else:
        halves = moments.reshape(sets, blocks // 2, 2, *nodes)
        parents = np.einsum("wbhji,bhjJ,bhiI->wbJI", halves, *transfers, optimize=True)
    return parents


@final
class View:
    """Which blocks count for each row of targets, and how far they are.

    Attributes:
        far: pairs of a row and a block that is summed through its nodes.
        near: pairs of a row and a leaf whose sources are summed one by one.
    """

    def __init__(self, tree: SourceTree, targets: FloatArray, counts: IntArray, size: int) -> None:
        self._tree, self._targets, self._counts, self._size = tree, targets, counts, size
        self.far, self.near = self._parts()

    def _parts(self) -> "tuple[Part, Part]":
        """Go from the root down: take the blocks that are far enough, halve the others, down to the leaves."""
        tree, height = self._tree, len(self._tree.axes[0].bounds)
        sizes = [len(low) for low, _ in tree.axes[0].bounds]
        rows, blocks = np.arange(len(self._targets)), np.zeros(len(self._targets), dtype=np.int64)
        far = []
        for level in range(height - 1, -1, -1):
            before = blocks * (LEAF << level) < self._counts[rows, -1]
            rows, blocks = rows[before], blocks[before]
            is_far = self._is_far(level, rows, blocks)
            far.append((rows[is_far], blocks[is_far] + sum(sizes[:level])))
            rows, blocks = rows[~is_far], blocks[~is_far]
            if level:
                rows, blocks = np.repeat(rows, 2), np.stack([2 * blocks, 2 * blocks + 1], axis=1).ravel()
        far_rows, far_blocks = (np.concatenate(levels) for levels in zip(*far, strict=True))
        counted = (blocks[:, None] * LEAF + np.arange(LEAF))[:, None, :] < self._counts[rows][:, :, None]
        return (
            Part(self._targets, far_rows, far_blocks, tree.nodes, None),
            Part(self._targets, rows, blocks, [axis.values for axis in tree.axes], counted),
        )

    def _is_far(self, level: int, rows: IntArray, blocks: IntArray) -> NDArray[np.bool_]:
        """Return whether each block lies wholly before its row of targets, at least as far away as it is long."""
        low, high = (bound[blocks] for bound in self._tree.axes[0].bounds[level])
        if LEAF << level < self._tree.nodes[0].shape[1]:
            return np.zeros(len(rows), dtype=np.bool_)  # fewer sources than nodes
        is_far: NDArray[np.bool_] = (blocks + 1) * (LEAF << level) <= np.minimum(self._counts[rows, 0], self._tree.size)
        is_far &= (self._targets[rows, 0] - high >= high - low) & (self._targets[rows, 0] > high)
        for axis in self._tree.axes[1:]:
            least, most = (bound[blocks] for bound in axis.bounds[level])
            is_far &= most - least <= WIDEST
        return is_far

    def sum(self, kernel: Kernel, moments: Moments, gamma: float = 0.0) -> FloatArray:
        """Compute the sum over k < counts[i] of w_k kernel(scale_k^-gamma (targets[i] - places[k])), (m,).

        Args:
            kernel: a function of the distances, element by element.
            moments: of the weights w, from the tree.
            gamma: of the scales, where the sources have any.
        """
        far = self.far.sum_kernel(kernel, moments.blocks[0], gamma)
        return self._combine(far, self.near.sum_kernel(kernel, moments.leaves[0], gamma))

    def sum_weighted(self, far: FloatArray, near: FloatArray, moments: Moments, number: int = 0) -> FloatArray:
        """Compute `sum` from a kernel's values at the distances of both parts, with one set of the weights, (m,)."""
        far_sums = self.far.sum_weighted(far, moments.blocks[number])
        return self._combine(far_sums, self.near.sum_weighted(near, moments.leaves[number]))

    def _combine(self, far: FloatArray, near: FloatArray) -> FloatArray:
        """Add up the sums (pairs, block) of both parts for each target, (m,)."""
        total = np.zeros(self._targets.shape)
        for part, sums in ((self.far, far), (self.near, near)):
            for column in range(sums.shape[-1]):
                total[:, column] += np.bincount(part.rows, sums[:, column], len(total))
        return total.ravel()[: self._size]


@final
@dataclass(frozen=True, eq=False)
class Part:
    """Pairs of a row of targets and a block.

    Args:
        targets: (rows, block).
        rows: (pairs,).
        blocks: (pairs,).
        nodes: (blocks, nodes) for each coordinate.
        counted: (pairs, block, nodes), which of a leaf's sources count; None: all.
    """

    targets: FloatArray
    rows: IntArray
    blocks: IntArray
    nodes: list[FloatArray]
    counted: NDArray[np.bool_] | None

    @cached_property
    def distances(self) -> FloatArray:
        """Return the distances, (pairs, block, nodes); 1 where a source does not count."""
        return self._distances(slice(None))

    @cached_property
    def log_scales(self) -> FloatArray:
        """Return the second coordinate, (pairs, 1, nodes)."""
        return self.nodes[1][self.blocks][:, None, :]

    def _distances(self, some: slice, gamma: float = 0.0) -> FloatArray:
        distances = self.targets[self.rows[some]][:, :, None] - self.nodes[0][self.blocks[some]][:, None, :]
        if gamma:
            distances = distances * scales(self.nodes[1][self.blocks[some]], gamma)[:, None, :]
        return distances if self.counted is None else np.where(self.counted[some], distances, 1.0)

    def sum_weighted(self, values: FloatArray, weights: FloatArray, some: slice = slice(None)) -> FloatArray:
        """Return the sums of values at the distances, each times its weight, (pairs, block)."""
        if self.counted is not None:
            values = np.where(self.counted[some], values, 0.0)
        sums: FloatArray = np.matmul(values, weights[self.blocks[some]][:, :, None])[..., 0]
        return sums

    def sum_kernel(self, kernel: Kernel, weights: FloatArray, gamma: float = 0.0) -> FloatArray:
        """Return `sum_weighted` of a kernel, without holding more than a chunk of distances in memory."""
        pairs, block = len(self.rows), self.targets.shape[1]
        each = max(1, CHUNK // (block * self.nodes[0].shape[1]))
        chunks = [slice(start, start + each) for start in range(0, pairs, each)]
        sums = [self.sum_weighted(kernel(self._distances(some, gamma)), weights, some) for some in chunks]
        return np.concatenate(sums) if sums else np.zeros((0, block))
