"""Files and folders in the browser panel, and on disk."""

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.lab import Lab


def test_a_file_is_uploaded_into_a_new_folder_and_deleted_again(lab: Lab, tmp_path: Path) -> None:
    moons = tmp_path / "moons.csv"
    moons.write_bytes("name,radius\nIo,1821\n木衛四,2410\n".encode())
    lab.files.new_folder("data")
    lab.files.open("data")
    expect(lab.files.crumbs).to_contain_text("data")
    lab.files.upload(moons)
    assert lab.bytes_on_disk("data/moons.csv") == moons.read_bytes()

    lab.files.choose("moons.csv", "filebrowser:delete")
    lab.accept_dialog()
    expect(lab.files.entry("moons.csv")).to_have_count(0)
    assert lab.names_on_disk("data") == set()


def test_a_large_file_is_uploaded_in_chunks(lab: Lab, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(range(256)) * 10 * 4096)
    lab.files.upload(large)
    expect(lab.page.locator("#jp-main-statusbar").get_by_text("Uploading…")).not_to_be_visible()
    assert lab.bytes_on_disk("large.bin") == large.read_bytes()


def test_a_text_file_is_edited_and_saved(lab: Lab) -> None:
    lab.place("notes.txt", "Io\nEuropa\n")
    lab.files.open("notes.txt")
    editor = lab.editor()
    expect(editor).to_contain_text("Europa")
    editor.press("Control+End")
    editor.press_sequentially("Ganymede")
    lab.save()
    assert lab.bytes_on_disk("notes.txt") == b"Io\nEuropa\nGanymede"


def test_a_file_in_the_panel_is_renamed(lab: Lab) -> None:
    lab.place("before.txt", "kept")
    lab.files.choose("before.txt", "filebrowser:rename")
    lab.files.type_name("after.txt")
    assert lab.names_on_disk() == {"after.txt"}
    assert lab.bytes_on_disk("after.txt") == b"kept"
