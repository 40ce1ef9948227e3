from labctl.results import summarized


def test_points_that_say_the_same_share_a_line() -> None:
    texts = [
        "point 3: rate 1.2e+05 /s",
        "no lamp",
        "point 5: rate 7 /s",
        "point 5: dark",
        "no lamp",
    ]
    assert summarized(texts) == ("points 3, 5: rate 1.2e+05 /s", "no lamp", "point 5: dark")


def test_lines_that_were_made_before_are_joined() -> None:
    assert summarized(["points 3, 5: dark", "point 4: dark", "point 3: dark"]) == (
        "points 3, 4, 5: dark",
    )


def test_warnings_of_the_whole_run_stay_apart() -> None:
    assert summarized(["grating 300/mm", "grating 1800/mm"]) == (
        "grating 300/mm",
        "grating 1800/mm",
    )
    assert summarized([]) == ()
