"""How does a race become a notebook? Its scripts, section by section, a cell each."""

from collections.abc import Mapping, Sequence

from lstm_core.export.script import Section


def notebook(title: str, racers: Mapping[str, Sequence[Section]]) -> str:
    """A file of nbformat 4 that begins with `title`, in Markdown, and runs the scripts of these racers in turn."""
    from nbformat import validate, writes
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells = [new_markdown_cell(title)]
    for label, sections in racers.items():
        cells.append(new_markdown_cell(f"## {label}"))
        for section in sections:
            cells += [new_markdown_cell(f"### {section.title}"), new_code_cell(section.code)]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # else a random one: equal races are equal files
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    validate(made)
    return str(writes(made))
