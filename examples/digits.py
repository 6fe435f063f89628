"""Trains a classifier on scikit-learn's handwritten digits (1,797 real images of 8 by 8 pixels) and returns its metrics.

Run it as a sweep, for example over two models and three seeds:

    python examples/digits.py -m model=svm,forest seed=1,2,3
"""

from typing import Any

import hydra
from hydra.utils import instantiate
from omegaconf import DictConfig

# Hydra 1.4 wants to be told which packages a config may instantiate; Hydra 1.3 asks for a version_base instead.
VERSION_ARGUMENTS: dict[str, Any] = (
    {"version_base": "1.3"}
    if hydra.__version__.startswith("1.3.")
    else {"execution_whitelist": ["hydra_callback_kit.*", "sklearn.*"]}
)


@hydra.main(config_path="../conf", config_name="digits", **VERSION_ARGUMENTS)
def main(config: DictConfig) -> dict[str, float]:
    """Trains on one part of the images and tests on the other."""
    from sklearn.datasets import load_digits  # noqa: PLC0415  scikit-learn is slow to import, and --help needs none of it
    from sklearn.metrics import accuracy_score, f1_score  # noqa: PLC0415  the same
    from sklearn.model_selection import train_test_split  # noqa: PLC0415  the same

    images, labels = load_digits(return_X_y=True)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=config.test_fraction, random_state=config.seed
    )
    model = instantiate(config.model).fit(train_images, train_labels)
    predicted = model.predict(test_images)
    return {
        "accuracy": float(accuracy_score(test_labels, predicted)),
        "f1": float(f1_score(test_labels, predicted, average="macro")),
    }


if __name__ == "__main__":
    main()
