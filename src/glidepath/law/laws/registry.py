"""The laws by name, as `glidepath fit --law` takes them."""

from typing import Literal

from .convex_kernel import ConvexKernelLaw
from .functional_scaling import FunctionalScalingLaw
from .law import Law
from .momentum import MomentumLaw
from .multi_power import MultiPowerLaw
from .noise_floor import NoiseFloorLaw

LawName = Literal["noise-floor", "multi-power", "functional-scaling", "momentum", "convex-kernel"]
LAWS: dict[str, type[Law]] = {
    law.NAME: law for law in (NoiseFloorLaw, MultiPowerLaw, FunctionalScalingLaw, MomentumLaw, ConvexKernelLaw)
}
