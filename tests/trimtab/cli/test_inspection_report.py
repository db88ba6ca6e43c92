"""`trimtab inspections report`."""


def test_is_written_to_the_home_and_its_path_printed(command, home, make_inspection, make_result):
    name = make_inspection(1, {0: make_result()})
    path = home / "reports" / name / "report.html"
    assert command("inspections", "report", name).stdout == f"{path}\n"
    assert "The run succeeded" in path.read_text()
    assert (path.parent / "report.json").exists()


def test_or_to_a_file_and_nothing_beside_it(command, tmp_path, make_inspection, make_result):
    name = make_inspection(1, {0: make_result()})
    file = tmp_path / "out" / "page.html"
    file.parent.mkdir()
    assert command("inspections", "report", name, "--file", str(file)).stdout == f"{file}\n"
    assert list(file.parent.iterdir()) == [file]


def test_what_is_not_there_or_cannot_be_written_is_said(command, tmp_path, make_inspection, make_result):
    assert "no inspection-b that is over" in command("inspections", "report", "inspection-b", code=1).stderr
    assert "no name" in command("inspections", "report", "../b", code=2).stderr
    name, file = make_inspection(1, {0: make_result()}), str(tmp_path / "no" / "page.html")
    assert "cannot be written" in command("inspections", "report", name, "--file", file, code=1).stderr
