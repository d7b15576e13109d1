"""Logistic regression of a handful of weights, by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RIDGE = 1e-2  # of standardized weights: keeps them finite where classes part wholly
STEPS = 50
CONVERGED = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """Log odds = ``intercept`` + features @ ``weights``, natural logarithm."""

    intercept: float
    weights: np.ndarray

    def log_odds(self, features: np.ndarray) -> np.ndarray:
        """Give the log odds of features, float (n, k), as float (n,)."""
        return np.asarray(self.intercept + features @ self.weights)


def fit(features: np.ndarray, right: np.ndarray) -> Logistic:
    """Fit to examples; right and wrong ones count as much together, so odds are ratios.

    Parameters
    ----------
    features
        float (n, k).
    right
        bool (n,); both kinds must be there.
    """
    mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    x = np.column_stack([np.ones(len(features)), (features - mean) / scale])
    share = np.where(right, 0.5 / right.sum(), 0.5 / (~right).sum())
    ridge = RIDGE / len(features) * np.eye(x.shape[1])
    ridge[0, 0] = 0
    w = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (share * (right - p)) - ridge @ w
        curvature = (x * (share * p * (1 - p))[:, None]).T @ x + ridge
        step = np.linalg.solve(curvature + 1e-12 * np.eye(len(w)), gradient)
        w += step * min(1.0, 5 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < CONVERGED:
            break
    weights = w[1:] / scale
    return Logistic(float(w[0] - weights @ mean), weights)
