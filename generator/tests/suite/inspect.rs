//! The table of an API.

use crate::project::{CONFIG, PYTHON, Project, TOY};
use crate::twins::MIRRORED;

#[test]
fn each_member_stands_with_its_kind_lane_and_signatures() {
    let project = Project::with_root(TOY);
    let run = project.run(&["inspect"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!project.path("generated").exists(), "inspect writes nothing");
    let expected = "\
class Lamp (proxy AsyncLamp; owned by its worker)
  plug_in     open   lane main
      Rust          fn plug_in(socket: &str) -> Result<Self, Fault>
";
    assert!(run.output.starts_with(expected), "{}", run.output);
    for line in [
        "  dim         call   lane main\n",
        "      Rust          fn dim(&mut self, percent: u8, fade: f64) -> Result<(), Fault>\n",
        "      Rust async    fn dim(&self, percent: u8, fade: f64) -> Call<Result<(), Fault>>\n",
        "      Python        -\n",
        "errors Fault\n  Bulb                    BulbError\n",
    ] {
        assert!(run.output.contains(line), "{line}: {}", run.output);
    }
}

#[test]
fn why_a_member_is_left_out_is_shown() {
    let project =
        Project::with_root(&TOY.replace("    /// Its brightness.\n", "    #[proxy(skip = \"it is dark\")]\n"));
    let run = project.run(&["inspect"]);
    assert!(run.output.contains("      blocking only: it is dark\n"), "{run:?}");
    let project = Project::with_root(&TOY.replace(
        "    /// Its brightness.\n",
        "    #[proxy(rust_only = \"it is bright\")]\n",
    ));
    let run = project.run(&["inspect"]);
    assert!(run.output.contains("      not in Python: it is bright\n"), "{run:?}");
}

#[test]
fn why_a_member_of_an_async_api_is_left_out_is_shown() {
    let project = Project::with_root(MIRRORED);
    project.write("async-proxy.toml", format!("{CONFIG}{PYTHON}"));
    let run = project.run(&["inspect"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for rows in [
        "\
  guard       call    lane main
      Rust          -
      Rust async    async fn guard(&self, hours: u8)
      Python        -
      Python async  def guard(self, hours: int) -> Coroutine[Any, Any, None]
      no blocking twin: it never ends
  colours     stream  lane main
      Rust          -
      Rust async    fn colours(&self) -> impl Stream<Item = u8> + '_
      Python        -
      Python async  def colours(self) -> AsyncIterator[int]
      no blocking twin: they never end
  into_parts  skip    lane main
      Rust          -
      Rust async    async fn into_parts(self) -> u8
      Python        -
      Python async  -
      async only: it comes to pieces
  spot        child   lane main
",
        "\
  follow  call  lane main
      Rust          -
      Rust async    async fn follow(&self)
      Python        -
      Python async  def follow(self) -> Coroutine[Any, Any, None]
      no blocking twin: it never ends
",
    ] {
        assert!(run.output.contains(rows), "{rows}\nis not in\n{}", run.output);
    }
}
