"""Converts a notebook to a program, as crunch-convert does.

Imports, functions and classes are kept. Everything else at the top of a cell is commented out, unless a comment
`# @crunch/keep:on` precedes it. `:off` restores this default, and `:none` also comments out imports and functions.

Usage: python -I -S read_notebook.py NOTEBOOK ANSWER. ANSWER is a JSON object:
- lines: the program
- imports: {cell, line, module, isStandard, comment} for each module of each kept import
- commands: {cell, line, text} for each command to the notebook itself, such as `!pip install pandas`
- files: {cell, path, text, how} for each file in a cell; `how` is new, replace or append
- warnings: sentences for the author
- error: {cell, line, message} of the first cell that cannot be read, instead of all else; cell is null for the whole notebook

Cells and lines count from 1. The code of the notebook is parsed, never run.
"""

import ast
import json
import os
import re
import sys
import tokenize

# Isolated mode does not import from the program's folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from notebook_cells import MAX_COMMANDS, Cell, Refusal, comments_of, indent_of, language_of, lines_of, read_cells, read_file_cell  # noqa: E402

KEEP_MODES = {"@crunch/keep:on": "everything", "@crunch/keep:off": "necessary", "@crunch/keep:none": "nothing"}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
COMPOUND = (*DEFINITIONS, ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
IMPORTS = (ast.Import, ast.ImportFrom)
# Longer comments do not name a version. Each module of an import gets a copy, which could add up to gigabytes.
MAX_COMMENT = 1_000
MAX_WARNINGS = 100


class Notebook:
    def __init__(self):
        self.lines, self.imports, self.commands, self.warnings, self.files = [], [], [], [], []
        self.modules = set()
        # Names whose assignments are commented out, in order; and the place and the read names of each kept statement.
        self._dropped = {}
        self._readers = []

    def add(self, cell):
        self._keep_necessary(cell)
        self.commands += cell.commands
        if len(self.commands) > MAX_COMMANDS:
            raise Refusal(0, f"the notebook has more than {MAX_COMMANDS} commands; write fewer")
        self.warnings += cell.warnings
        if cell.file is not None:
            self.add_file(cell.number, *cell.file)
        filled = [line for line, text in enumerate(cell.lines) if text != ""]
        if not filled:
            return
        if self.lines:
            self.lines += ["", ""]
        self.lines += cell.lines[filled[0] : filled[-1] + 1]

    def add_file(self, cell, path, text, how):
        self.files.append({"cell": cell, "path": path, "text": text, "how": how})

    def _keep_necessary(self, cell):
        statements = cell.statements()
        mode = "necessary"
        free = 0
        for index, (nodes, first, last) in enumerate(statements):
            leading = range(free, first)
            free = last + 1
            is_compound = isinstance(nodes[0], COMPOUND)
            # Comments before a compound statement belong to it, except at the top of the cell.
            if index == 0 or not is_compound:
                mode = followed(mode, cell, leading)
            if is_compound:
                self._add_compound(cell, nodes[0], first, last, mode)
            elif mode == "nothing":
                cell.comment_out(first if index == 0 else min([first, *leading]), last)
            else:
                self._add_simple(cell, nodes, last, mode)

    def _add_compound(self, cell, node, first, last, mode):
        nested = sum(isinstance(one, IMPORTS) for one in ast.walk(node))
        if nested > 0:
            self.warnings.append(
                f"cell {cell.number} line {first + 1}: {nested} imports inside this statement are not added to the requirements; "
                "move them to the top of the cell"
            )
        is_definition = isinstance(node, DEFINITIONS)
        if mode == "everything" or (mode == "necessary" and is_definition):
            self._readers.append((cell.number, first + 1, names(node, ast.Load) - names(node, ast.Store) - arguments(node)))
        else:
            cell.comment_out(first, last)
        if not is_definition:
            self._note_names(node, mode)

    def _add_simple(self, cell, nodes, last, mode):
        for node in nodes:
            if isinstance(node, IMPORTS):
                comment = wish_of(cell.comments, last) if node is nodes[-1] else None
                place = {"cell": cell.number, "line": node.lineno, "comment": comment}
                self._import(place, node)
            self._note_names(node, mode)
        if mode == "everything":
            return
        # From right to left, so that the remaining columns stay valid.
        for index, node in reversed(list(enumerate(nodes))):
            if isinstance(node, IMPORTS) or is_r_import(node):
                continue
            line = node.lineno - 1
            column = cell.column_of(node)
            end = nodes[index + 1].lineno - 1 if index + 1 < len(nodes) else last
            cell.comment_out(line + 1, end)
            cell.lines[line] = f"{cell.lines[line][:column]}#{cell.lines[line][column:]}"

    def _note_names(self, node, mode):
        for name in sorted(names(node, ast.Store)):
            if mode == "everything":
                self._dropped.pop(name, None)
            else:
                self._dropped[name] = True

    def _read_written_modules(self):
        """Adds the imports of modules that the notebook writes and imports."""
        parts, cells = {}, {}
        for file in self.files:
            if file["how"] != "append":
                parts[file["path"]] = []
            parts.setdefault(file["path"], []).append(file["text"])
            cells[file["path"]] = file["cell"]
        unread = {path for path in parts if path.endswith(".py")}
        while found := {path for path in unread if path.removesuffix(".py").split("/")[0] in self.modules}:
            unread -= found
            for path in sorted(found):
                try:
                    self._import_from("".join(parts[path]), cells[path])
                except (SyntaxError, ValueError, tokenize.TokenError) as error:
                    self.warnings.append(f"cell {cells[path]}: {path} is not Python ({error}), so its imports are unknown")

    def _import_from(self, text, cell):
        comments = comments_of(text)
        for node in ast.parse(text).body:
            if isinstance(node, IMPORTS):
                place = {"cell": cell, "line": 1, "comment": wish_of(comments, node.end_lineno - 1)}
                self._import(place, node)

    def _import(self, place, node):
        for module in modules(node):
            self.modules.add(module["module"])
            self.imports.append({**place, **module})

    def answer(self):
        """Warns of constants that are commented out but used, which surprise authors most."""
        self._read_written_modules()
        missing = [
            f'cell {cell}: the statement at line {line} uses "{name}", which is commented out; '
            'put "# @crunch/keep:on" before the statement that sets it'
            for cell, line, read in self._readers
            for name in sorted(read & self._dropped.keys())
        ]
        warnings = self.warnings + missing
        if len(warnings) > MAX_WARNINGS:
            warnings = [*warnings[:MAX_WARNINGS], f"{len(warnings) - MAX_WARNINGS} more warnings of this kind"]
        return {
            "lines": self.lines,
            "imports": self.imports,
            "commands": self.commands,
            "files": self.files,
            "warnings": warnings,
        }


def wish_of(comments, line):
    """The comment after an import, unless it is too long to name a version."""
    comment = comments.get(line, "")
    return comment if 0 < len(comment) <= MAX_COMMENT else None


def followed(mode, cell, lines):
    """The keep mode after the comments on these lines."""
    for line in lines:
        mode = KEEP_MODES.get(cell.original[line].strip(" \t#"), mode)
    return mode


def modules(node):
    paths = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    if getattr(node, "level", 0) > 0:
        return []
    names = dict.fromkeys(path.split(".")[0] for path in paths)
    return [{"module": name, "isStandard": name.startswith("_") or name in sys.stdlib_module_names} for name in names]


def is_r_import(node):
    """Imports of R packages are assignments: `stats = importr("stats")`."""
    value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "importr"


def names(node, context):
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, context)}


def arguments(node):
    return {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)}


def add_cell(notebook, number, cell):
    if not isinstance(cell, dict):
        raise Refusal(0, "it is not a JSON object")
    kind = cell.get("cell_type", "code" if "outputs" in cell else None)
    if kind == "markdown":
        file = read_file_cell(lines_of(cell))
        if file is not None:
            notebook.add_file(number, *file, "new")
    elif kind == "code":
        notebook.add(Cell(number, lines_of(cell), language_of(cell)))
    elif kind not in ("raw", "heading"):
        notebook.warnings.append(f"cell {number}: left out, because its type {kind!r:.40} is unknown")


def refusal(cell, line, message):
    return {"error": {"cell": cell, "line": line, "message": message}}


def read_notebook(path):
    notebook = Notebook()
    number = None
    try:
        for number, cell in enumerate(read_cells(path), 1):
            add_cell(notebook, number, cell)
        return notebook.answer()
    except Refusal as error:
        return refusal(number, error.line + 1, str(error))
    except SyntaxError as error:
        return refusal(number, error.lineno or 1, error.msg or "invalid syntax")
    except tokenize.TokenError as error:
        message, (line, _) = error.args
        return refusal(number, line, message)
    except ValueError as error:
        return refusal(number, 1, str(error))


if __name__ == "__main__":
    answer = read_notebook(sys.argv[1])
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(answer, file)
