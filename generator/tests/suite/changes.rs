//! What is said of a change of the API since it was locked.

use generator::changes::{Changes, compare};
use generator::lock::{Lock, read};
use serde_json::{Value, json};

/// A lock with one class of one member and one error enum, of which a test changes a piece.
fn lock(change: impl FnOnce(&mut Value)) -> Lock {
    let mut value = json!({
        "generated": "", "regenerate": "", "format": 1, "files": [], "functions": [], "options": [
            {"name": "Options", "fields": [{"name": "timeout", "type": "f64", "default": "5.0"}]}
        ],
        "python": {"package": "aiotoy", "module": "_native"},
        "classes": [{
            "name": "Lamp", "proxy": "AsyncLamp", "python": "Lamp",
            "members": [{
                "name": "dim", "kind": "call", "receiver": "&mut self", "returns": "Result<()>",
                "arguments": [{"name": "percent", "type": "u8"}, {"name": "fade", "type": "f64"}],
                "python": {"name": "dim", "returns": "None", "parameters": [
                    {"name": "percent", "type": "int"},
                    {"name": "fade", "type": "float", "default": "0.5"}
                ]}
            }]
        }],
        "errors": [{"name": "Fault", "variants": [
            {"name": "Bulb", "shape": "tuple", "exception": "BulbError"},
            {"name": "Dark", "shape": "unit", "exception": "OSError"}
        ]}]
    });
    change(&mut value);
    read(&value.to_string()).unwrap()
}

fn changed(change: impl FnOnce(&mut Value)) -> Changes {
    compare(&lock(|_| {}), &lock(change))
}

/// The changes, a line for each.
fn lines(change: impl FnOnce(&mut Value)) -> Vec<String> {
    changed(change).list.iter().map(ToString::to_string).collect()
}

fn dim(value: &mut Value) -> &mut Value {
    &mut value["classes"][0]["members"][0]
}

#[test]
fn an_untouched_api_has_no_changes() {
    assert!(changed(|_| {}).is_empty());
    assert_eq!(changed(|_| {}).verdict(), "the API did not change");
}

#[test]
fn an_added_member_is_compatible_and_its_removal_is_breaking() {
    let add = |value: &mut Value| {
        let mut member = dim(value).clone();
        member["name"] = json!("blink");
        member["returns"] = json!("Result<u8>");
        value["classes"][0]["members"].as_array_mut().unwrap().push(member);
    };
    assert_eq!(lines(add), ["compatible: Lamp.blink was added (call)"]);
    assert_eq!(
        changed(add).verdict(),
        "1 change of the API: compatible, no caller breaks"
    );
    let removed = compare(&lock(add), &lock(|_| {}));
    assert_eq!(removed.list[0].to_string(), "breaking: Lamp.blink was removed");
    assert_eq!(removed.verdict(), "1 change of the API: breaking, callers must change");
}

#[test]
fn a_member_with_another_name_and_nothing_else_is_renamed_and_breaking() {
    let found = lines(|value| {
        dim(value)["name"] = json!("fade");
        dim(value)["python"]["name"] = json!("fade");
    });
    assert_eq!(found, ["breaking: Lamp.dim was renamed to `fade`"]);
}

#[test]
fn another_kind_or_lane_is_breaking() {
    assert_eq!(
        lines(|value| dim(value)["kind"] = json!("direct")),
        ["breaking: Lamp.dim has another kind: `call` became `direct`"]
    );
    assert_eq!(
        lines(|value| dim(value)["lane"] = json!("network")),
        ["breaking: Lamp.dim has another lane: `main` became `network`"]
    );
}

#[test]
fn an_optional_parameter_breaks_rust_alone_and_a_required_one_breaks_both() {
    let optional = |value: &mut Value| {
        dim(value)["arguments"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "steps", "type": "u8"}));
        let parameter = json!({"name": "steps", "type": "int", "default": "1"});
        dim(value)["python"]["parameters"]
            .as_array_mut()
            .unwrap()
            .push(parameter);
    };
    assert_eq!(
        lines(optional),
        [
            "breaking in Rust: Lamp.dim takes another argument: `steps: u8`",
            "compatible in Python: Lamp.dim takes another parameter: `steps: int = 1`",
        ]
    );
    let required = |value: &mut Value| {
        dim(value)["python"]["parameters"]
            .as_array_mut()
            .unwrap()
            .insert(1, json!({"name": "steps", "type": "int"}));
    };
    assert_eq!(
        lines(required),
        ["breaking in Python: Lamp.dim requires another parameter: `steps: int`"]
    );
}

#[test]
fn an_optional_parameter_in_the_middle_moves_the_others_and_is_breaking() {
    let found = lines(|value| {
        let parameter = json!({"name": "steps", "type": "int", "default": "1"});
        dim(value)["python"]["parameters"]
            .as_array_mut()
            .unwrap()
            .insert(1, parameter);
    });
    assert_eq!(
        found[1],
        "breaking in Python: Lamp.dim has another order of parameters: `percent, steps, fade`"
    );
}

#[test]
fn a_removed_parameter_is_breaking_on_both_sides() {
    let found = lines(|value| {
        dim(value)["arguments"].as_array_mut().unwrap().pop();
        dim(value)["python"]["parameters"].as_array_mut().unwrap().pop();
    });
    assert_eq!(
        found,
        [
            "breaking in Rust: Lamp.dim lost the argument `fade: f64`",
            "breaking in Python: Lamp.dim lost the parameter `fade: float`",
        ]
    );
}

#[test]
fn another_default_is_a_change_of_behaviour_and_breaking() {
    let found = lines(|value| dim(value)["python"]["parameters"][1]["default"] = json!("1.0"));
    assert_eq!(
        found,
        ["breaking in Python: Lamp.dim behaves differently: the default of `fade` was `0.5` and is `1.0`"]
    );
}

#[test]
fn a_default_that_appears_is_compatible_and_one_that_goes_is_breaking() {
    let appeared = changed(|value| dim(value)["python"]["parameters"][0]["default"] = json!("100"));
    assert!(!appeared.is_breaking());
    let gone = changed(|value| {
        dim(value)["python"]["parameters"][1]
            .as_object_mut()
            .unwrap()
            .remove("default");
    });
    assert!(gone.is_breaking());
}

#[test]
fn a_parameter_may_accept_more_and_a_result_may_be_less() {
    let set = |place: &str, annotation: &str| {
        let (place, annotation) = (place.to_owned(), annotation.to_owned());
        changed(move |value| match place.as_str() {
            "parameter" => dim(value)["python"]["parameters"][0]["type"] = json!(annotation),
            _ => dim(value)["python"]["returns"] = json!(annotation),
        })
    };
    assert!(!set("parameter", "int | None").is_breaking());
    assert!(set("parameter", "str").is_breaking());
    assert!(set("parameter", "list[int | None]").is_breaking());
    assert!(set("returns", "int | None").is_breaking());
}

#[test]
fn keyword_only_is_breaking_and_no_longer_keyword_only_is_not() {
    let keyword_only = |value: &mut Value| dim(value)["python"]["parameters"][1]["passing"] = json!("keyword_only");
    assert!(changed(keyword_only).is_breaking());
    assert!(!compare(&lock(keyword_only), &lock(|_| {})).is_breaking());
}

#[test]
fn a_receiver_that_asks_for_less_is_compatible() {
    assert!(!changed(|value| dim(value)["receiver"] = json!("&self")).is_breaking());
    assert!(changed(|value| dim(value)["receiver"] = json!("self")).is_breaking());
}

#[test]
fn an_added_variant_is_compatible_and_a_removed_one_or_another_exception_is_breaking() {
    let add = |value: &mut Value| {
        let variant = json!({"name": "Melted", "shape": "unit", "exception": "MeltedError"});
        value["errors"][0]["variants"].as_array_mut().unwrap().push(variant);
    };
    assert_eq!(
        lines(add),
        ["compatible: Fault::Melted was added (`MeltedError` in Python)"]
    );
    let remove = |value: &mut Value| {
        value["errors"][0]["variants"].as_array_mut().unwrap().remove(0);
    };
    assert_eq!(
        lines(remove),
        ["breaking: Fault::Bulb was removed (`BulbError` in Python)"]
    );
    assert_eq!(
        lines(|value| value["errors"][0]["variants"][1]["exception"] = json!("DarkError")),
        ["breaking in Python: Fault::Dark has another exception: `OSError` became `DarkError`"]
    );
}

#[test]
fn classes_options_and_packages_are_compared_too() {
    assert_eq!(
        lines(|value| value["classes"][0]["name"] = json!("Light")),
        ["compatible: class Light was added", "breaking: class Lamp was removed"]
    );
    assert!(changed(|value| value["classes"][0]["proxy"] = json!("LampProxy")).is_breaking());
    assert!(changed(|value| value["classes"][0]["python"] = json!("Light")).is_breaking());
    assert!(changed(|value| value["python"]["profile"] = json!("dbapi")).is_breaking());
    assert!(changed(|value| value["options"][0]["fields"][0]["default"] = json!("1.0")).is_breaking());
    let add = |default: Value| {
        changed(|value| {
            let field = json!({"name": "x", "type": "u8", "default": default});
            value["options"][0]["fields"].as_array_mut().unwrap().push(field);
        })
    };
    assert!(!add(json!("0")).is_breaking());
    assert!(add(Value::Null).is_breaking());
}

#[test]
fn an_alias_that_means_something_else_is_breaking() {
    let alias = |annotation: &'static str| {
        move |value: &mut Value| value["python"]["aliases"] = json!([{"name": "Watts", "type": annotation}])
    };
    let changes = |from, to| compare(&lock(alias(from)), &lock(alias(to)));
    assert_eq!(
        changes("int", "float").list[0].to_string(),
        "breaking in Python: type alias Watts means another type: `int` became `float`"
    );
    assert!(!changed(alias("int")).is_breaking());
    assert!(compare(&lock(alias("int")), &lock(|_| {})).is_breaking());
}

#[test]
fn a_python_target_that_goes_is_one_change_and_not_one_for_each_member() {
    let found = lines(|value| {
        value["python"] = Value::Null;
        dim(value).as_object_mut().unwrap().remove("python");
    });
    assert_eq!(found, ["breaking in Python: the Python package `aiotoy` was removed"]);
}

#[test]
fn a_lock_of_another_format_or_of_no_format_is_refused_in_words() {
    assert!(read(r#"{"format": 7}"#).unwrap_err().contains("format 7"));
    assert!(read("{").unwrap_err().contains("cannot be read"));
    assert!(read("<<<<<<< ours").unwrap_err().contains("cannot be read"));
}

#[test]
fn what_moves_to_another_module_is_breaking_and_what_is_new_there_is_not() {
    let moved = |value: &mut Value| value["python"]["submodules"] = json!({"light": ["Lamp", "Lantern"]});
    assert_eq!(
        lines(moved),
        ["breaking in Python: Lamp moved from `aiotoy` itself to `aiotoy.light`"]
    );
    let back = compare(&lock(moved), &lock(|_| {}));
    assert!(
        back.list[0]
            .to_string()
            .contains("Lamp moved from `aiotoy.light` to `aiotoy` itself")
    );
}

#[test]
fn a_value_is_told_apart_from_options() {
    let added = |value: &mut Value| {
        value["options"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "Glow", "value": true, "fields": [{"name": "lumen", "type": "u8"}]}));
    };
    assert_eq!(lines(added), ["compatible: value Glow was added"]);
}
