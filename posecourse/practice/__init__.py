"""One's own data: from a folder of labelled pictures to a network, a score and a picture.

    plan = practice.Plan(width=16)
    practice.train("labels.json", "frames/", "run/", plan)
    practice.evaluate("run/", "more_labels.json", "more_frames/")
    practice.predict("run/", "new_frames/", "answers/")

This is what `posecourse train`, `evaluate` and `predict` do. A run is a folder; whatever happens, what stands in it
is whole, and the same command goes on where it was stopped.
"""

from posecourse.practice.plan import Plan
from posecourse.practice.predicting import predict
from posecourse.practice.scoring import Scores, evaluate
from posecourse.practice.training import train
from posecourse.practice.views import View

__all__ = ["Plan", "Scores", "View", "evaluate", "predict", "train"]
