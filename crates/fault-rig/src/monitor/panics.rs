//! P20: no program panics, not even where the panic is caught.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Takes note of panics of this thread, on which a whole run happens.
pub(super) fn listen() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let former = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            SEEN.with(|seen| {
                if let Ok(mut seen) = seen.try_borrow_mut()
                    && let Some(seen) = seen.as_mut()
                {
                    seen.push(format!("P20: a panic: {info}").replace('\n', " "));
                }
            });
            former(info);
        }));
    });
    SEEN.with(|seen| seen.borrow_mut().replace(Vec::new()));
}

/// What was seen since.
pub(super) fn seen() -> Vec<String> {
    SEEN.with(|seen| seen.borrow().clone().unwrap_or_default())
}

/// Takes note no more.
pub(super) fn stop() {
    SEEN.with(|seen| seen.borrow_mut().take());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_is_caught_is_told_all_the_same() {
        listen();
        assert_eq!(seen(), [""; 0]);
        let caught = std::panic::catch_unwind(|| panic!("of a pass"));
        assert!(caught.is_err());
        let told = seen();
        assert!(told.len() == 1 && told[0].contains("of a pass"), "{told:?}");
        stop();
        let _ = std::panic::catch_unwind(|| panic!("of somebody else"));
        assert_eq!(seen(), [""; 0]);
    }
}
