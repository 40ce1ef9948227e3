"""A recipe is edited as a tree: the text follows, and errors are marked at their line."""

from PyQt5.QtWidgets import QTreeWidgetItem
from pytestqt.qtbot import QtBot

from labctl.gui._recipe import RecipePanel
from labctl.gui._recipe_tree import RecipeTree
from labctl.gui._window import MainWindow

PATIENCE_MS = 60_000
RECIPE = """# Of one dot.
name: two steps
steps:
  - wait: 1 s
  - scan: spectrograph.wavelength
    values: [530, 531]   # nm
    steps:
      - spectrum: {grating: 300/mm, exposure: 0.1 s, unlocked_sensor: true}
"""


def item_of(tree: RecipeTree, *path: str) -> QTreeWidgetItem:
    """Return the item below these ones; entries of lists by their number, from 1."""
    item = tree.tree.invisibleRootItem()
    for name in path:
        inside = [item.child(n) for n in range(item.childCount())]
        item = next(one for one in inside if one.text(0).split("  ")[0] == name)
    return item


def shown(window: MainWindow, qtbot: QtBot) -> RecipePanel:
    panel = window.panels["recipe"]
    assert isinstance(panel, RecipePanel)
    panel.set_text(RECIPE)
    qtbot.waitUntil(lambda: "2 points" in panel.verdict.text(), timeout=PATIENCE_MS)
    return panel


def test_a_value_that_is_changed_in_the_tree_is_changed_in_the_text(
    window: MainWindow, qtbot: QtBot
) -> None:
    panel = shown(window, qtbot)
    assert item_of(panel.tree, "steps", "2").text(0) == "2  scan"
    values = item_of(panel.tree, "steps", "2", "values")
    assert values.text(1) == "[530, 531]"
    values.setText(1, "[530, 531, 532]")
    qtbot.waitUntil(lambda: "3 points" in panel.verdict.text(), timeout=PATIENCE_MS)
    assert panel.editor.toPlainText() == RECIPE.replace("[530, 531]", "[530, 531, 532]")
    panel.editor.undo()
    assert panel.editor.toPlainText() == RECIPE


def test_a_mistake_is_marked_in_the_tree_at_its_line(window: MainWindow, qtbot: QtBot) -> None:
    panel = shown(window, qtbot)
    place = ("steps", "2", "steps", "1", "spectrum", "exposure")
    item_of(panel.tree, *place).setText(1, "0.1 K")
    qtbot.waitUntil(panel.problems.isVisible, timeout=PATIENCE_MS)
    assert panel.problems.item(0).text().startswith("line 8:")
    assert item_of(panel.tree, *place).toolTip(1)
    assert not item_of(panel.tree, "name").toolTip(1)
    assert not panel.start.isEnabled()
    item_of(panel.tree, *place).setText(1, "0.2 s")
    qtbot.waitUntil(panel.start.isEnabled, timeout=PATIENCE_MS)
    assert not item_of(panel.tree, *place).toolTip(1)
    assert "exposure: 0.2 s," in panel.editor.toPlainText()


def test_steps_are_moved_doubled_and_removed(window: MainWindow, qtbot: QtBot) -> None:
    panel = shown(window, qtbot)
    tree = panel.tree
    tree.tree.setCurrentItem(item_of(tree, "name"))
    assert not tree.buttons["up"].isEnabled()
    # A value belongs to the step in which it stands.
    tree.tree.setCurrentItem(item_of(tree, "steps", "2", "values"))
    tree.buttons["up"].click()
    assert item_of(tree, "steps", "1").text(0) == "1  scan"
    tree.tree.setCurrentItem(item_of(tree, "steps", "2"))
    tree.buttons["copy"].click()
    assert panel.editor.toPlainText().count("- wait: 1 s") == 2
    tree.tree.setCurrentItem(item_of(tree, "steps", "1"))
    tree.buttons["remove"].click()
    text = panel.editor.toPlainText()
    assert "scan" not in text
    assert text.startswith("# Of one dot.\n")
    before = len(window.engine.log)
    tree.tree.setCurrentItem(item_of(tree, "steps", "1"))
    tree.buttons["up"].click()
    assert len(window.engine.log) == before + 1


def test_a_text_that_is_no_yaml_says_so_in_the_tree(window: MainWindow, qtbot: QtBot) -> None:
    panel = shown(window, qtbot)
    panel.editor.setPlainText("name: [")
    panel.check()
    assert "is not YAML" in panel.tree.tree.invisibleRootItem().child(0).text(0)
    qtbot.waitUntil(panel.problems.isVisible, timeout=PATIENCE_MS)
