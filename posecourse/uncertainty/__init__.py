"""Does a network know where it is wrong? Answers that scatter, what their spread means, and what it is worth.

`mc_dropout` asks one network many times with parts of it dropped, `ensemble` asks several. `split_uncertainty` parts
what they say into noise that the network expects and disagreement with itself. Whether either is worth anything is
measured by `sparsification`, `ause` and `rank_correlation`, beside `perfect_correlation`, which nobody passes;
`calibration` has coverage and the factor that mends it. `conformal_radius` needs no model of errors at all, and
`dropout_variance` shows what the spread of dropout is where it can be computed.
"""

from posecourse.uncertainty.conformal import conformal_radius
from posecourse.uncertainty.dropout import Draws, dropout_active, mc_dropout, mc_dropout_at_rates, mc_dropout_gaussian
from posecourse.uncertainty.ensembles import Ensemble, ensemble
from posecourse.uncertainty.intervals import Interval, bootstrap_interval
from posecourse.uncertainty.ranking import ause, rank_correlation, sparsification
from posecourse.uncertainty.spread import Split, sample_covariance, split_uncertainty
from posecourse.uncertainty.theory import bayesian_variance, dropout_variance, perfect_correlation

__all__ = [
    # answers that scatter
    "dropout_active",
    "mc_dropout",
    "mc_dropout_gaussian",
    "mc_dropout_at_rates",
    "Draws",
    "ensemble",
    "Ensemble",
    # what their spread is
    "sample_covariance",
    "split_uncertainty",
    "Split",
    # what it is worth
    "sparsification",
    "ause",
    "rank_correlation",
    "bootstrap_interval",
    "Interval",
    "conformal_radius",
    # what it can be
    "perfect_correlation",
    "dropout_variance",
    "bayesian_variance",
]
