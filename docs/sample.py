"""How are the sample runs of the page Sweeps made? `python -m docs.sample` trains those of `sweeps/small.toml`."""

from pathlib import Path

from tqdm import tqdm

from lstm_core.borrowed.system import settle_process
from lstm_core.history.exchange import to_parquet
from lstm_core.sweep.grid import read_grid
from lstm_core.sweep.sweep import train_one

GRID = Path(__file__).parent.parent / "sweeps" / "small.toml"


def main() -> None:
    """Train them one after the other, and write them beside their grid."""
    settle_process()
    experiments = [one for group in read_grid(GRID.read_text()) for one in group.experiments]
    GRID.with_suffix(".parquet").write_bytes(to_parquet(train_one(one) for one in tqdm(experiments)))


if __name__ == "__main__":
    main()
