"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat

import pytest

from ombo_gym.files import remove_unfinished, write_atomically

OLD, NEW = b"old" * 1000, b"new" * 1000


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "kept.bin"
    file.write_bytes(OLD)
    return file


def assert_as_it_was(file):
    assert file.read_bytes() == OLD
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("content", [NEW, NEW.decode(), lambda opened: opened.write(NEW)])
def test_a_new_file_and_one_that_takes_the_place_of_another_are_whole(content, tmp_path):
    for _ in range(2):
        write_atomically(tmp_path / "kept.bin", content)
        assert (tmp_path / "kept.bin").read_bytes() == NEW
        assert len(list(tmp_path.iterdir())) == 1


def test_text_is_written_as_utf_8_with_lines_as_they_are(tmp_path):
    write_atomically(tmp_path / "text", "µ\nβ\r\n")
    assert (tmp_path / "text").read_bytes() == b"\xc2\xb5\n\xce\xb2\r\n"


@pytest.mark.parametrize("written", [0, 1, 2999, 3000])
@pytest.mark.parametrize("raised", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError])
def test_whatever_goes_wrong_half_way_leaves_what_was_there(file, written, raised):
    def write(opened):
        opened.write(NEW[:written])
        raise raised

    with pytest.raises(raised if isinstance(raised, type) else type(raised)):
        write_atomically(file, write)
    assert_as_it_was(file)


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_an_error_of_the_system_names_the_file_and_not_the_temporary_one(
    file, call, code, monkeypatch
):
    def refuse(*_):
        raise OSError(code, os.strerror(code), "nobody knows this name")

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        write_atomically(file, NEW)
    assert caught.value.filename == str(file) and "nobody" not in str(caught.value)
    monkeypatch.undo()
    assert_as_it_was(file)


def test_a_disk_that_is_really_full_leaves_what_was_there(file):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match=r"kept\.bin"):
            write_atomically(file, bytes(10**6))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)
    assert_as_it_was(file)


@pytest.mark.parametrize("place", ["nowhere/kept.bin", "folder"])
def test_a_place_that_cannot_be_written_to_is_named(tmp_path, place):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=place):
        write_atomically(tmp_path / place, NEW)
    assert [each.name for each in tmp_path.iterdir()] == ["folder"]


def test_a_killed_writer_leaves_the_old_file_and_what_it_wrote_can_be_removed(file):
    if not (child := os.fork()):
        write_atomically(file, lambda opened: (opened.write(NEW), opened.flush(), os._exit(9)))
    os.waitpid(child, 0)
    assert file.read_bytes() == OLD and len(list(file.parent.iterdir())) == 2
    remove_unfinished(file.parent, older_than=3600)
    assert len(list(file.parent.iterdir())) == 2  # somebody may still be writing
    remove_unfinished(file.parent, older_than=-1)
    assert_as_it_was(file)
    remove_unfinished(file.parent / "nowhere", older_than=0)


def test_a_link_is_replaced_and_what_it_points_to_left_alone(file, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(file)
    write_atomically(link, NEW)
    assert not link.is_symlink() and link.read_bytes() == NEW and file.read_bytes() == OLD


def test_others_may_read_what_the_umask_lets_them(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "kept.bin", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "kept.bin").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["x" * 250, "µ" * 120, ".hidden"])
def test_names_as_long_as_the_system_allows_can_be_written(tmp_path, name):
    write_atomically(tmp_path / name, NEW)
    assert (tmp_path / name).read_bytes() == NEW
