"""The three small mechanisms of a lesson: an exercise that explains mistakes, a claim, a prediction.

Lesson: 00 shows all three.
"""

from posecourse.lesson.claim import claim
from posecourse.lesson.errors import Todo, Wrong
from posecourse.lesson.exercise import Exercise
from posecourse.lesson.predict import predict, reveal

__all__ = ["Exercise", "Todo", "Wrong", "claim", "predict", "reveal"]
