//! What will be contacted, and whether the person at the keyboard agrees.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};

use kua::measurement::Target;
use kua_console::Trouble;
use kua_probes::suite::{BUILT_IN, Suite, SuiteError};

/// What is probed when nothing is asked for.
const DEFAULT_SUITE: &str = "popular";

/// The targets of one run.
pub(super) struct Plan {
    /// Without duplicates: those of the command line first, then those of the suites.
    pub(super) targets: Vec<Target>,
    /// How many of `targets` the command line names.
    named: usize,
    suites: Vec<Suite>,
}

impl Plan {
    /// `named` and the targets of `suites`; those of [`DEFAULT_SUITE`] where there is neither.
    pub(super) fn new(named: Vec<Target>, suites: &[String]) -> Result<Self, Trouble> {
        let default = [DEFAULT_SUITE.to_owned()];
        let suites = if named.is_empty() && suites.is_empty() { &default } else { suites };
        let suites = suites.iter().map(|name| read(name)).collect::<Result<Vec<_>, _>>()?;

        let mut known = BTreeSet::new();
        let mut targets = named;
        targets.retain(|target| known.insert(target.clone()));
        let named = targets.len();
        let listed = suites.iter().flat_map(|suite| &suite.targets);
        let listed = listed.map(|listed| listed.target.clone());
        targets.extend(listed.filter(|target| known.insert(target.clone())));
        Ok(Self { targets, named, suites })
    }

    /// Says what will be contacted and sent, and asks where a suite warns or records are sent. Without a
    /// terminal nobody can be asked, so `yes` is needed.
    pub(super) fn agreed(&self, yes: bool, sending: Option<&str>) -> Result<bool, Trouble> {
        let mut shown = anstream::stderr();
        let warnings =
            self.suites.iter().filter_map(|suite| Some((suite, suite.warning.as_ref()?)));
        let warnings: Vec<_> = warnings.collect();
        for (suite, warning) in &warnings {
            writeln!(shown, "warning: suite {}: {warning}", suite.name)?;
        }
        let on_terminal = std::io::stderr().is_terminal();
        if on_terminal || sending.is_some() {
            writeln!(shown, "{}", self.announcement(sending))?;
        }
        if (warnings.is_empty() && sending.is_none()) || yes {
            return Ok(true);
        }
        if !(on_terminal && std::io::stdin().is_terminal()) {
            let asked = match sending {
                Some(_) => "cannot ask whether records may be sent",
                None => "cannot ask whether to go on in spite of the warning",
            };
            return Err(Trouble::new(asked)
                .because("there is no terminal")
                .hint("--yes goes on without asking"));
        }
        write!(shown, "Go on? [y/N] ")?;
        shown.flush()?;
        let mut answer = String::new();
        std::io::stdin()
            .read_line(&mut answer)
            .map_err(|error| Trouble::new("cannot read the answer").because(error))?;
        let agreed = ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str());
        if !agreed {
            writeln!(shown, "nothing was contacted")?;
        }
        Ok(agreed)
    }

    fn announcement(&self, sending: Option<&str>) -> String {
        let listed = self.targets.len() - self.named;
        let suites: Vec<_> = self.suites.iter().map(|suite| suite.name.as_str()).collect();
        let mut parts = Vec::new();
        if self.named > 0 {
            parts.push(format!("{} named here", self.named));
        }
        if !suites.is_empty() {
            parts.push(format!("{listed} of suite {}", suites.join(", ")));
        }
        let count = self.targets.len();
        let sites = if count == 1 { "site" } else { "sites" };
        let parts = parts.join(", ");
        let then = sending.unwrap_or("nothing is sent anywhere else");
        format!("contacting {count} {sites} ({parts}); {then}")
    }
}

fn read(name: &str) -> Result<Suite, Trouble> {
    Suite::find(name).map_err(|error| {
        let unknown = matches!(error, SuiteError::Unknown { .. });
        let trouble = Trouble::new(format!("cannot read the suite {name}")).because(error);
        let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        if unknown {
            trouble.hint(format!("the built-in suites are {}", names.join(", ")))
        } else {
            trouble
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(host: &str) -> Target {
        Target { host: host.into(), port: 443 }
    }

    #[test]
    fn targets_are_probed_once() {
        let control = Suite::find("control").unwrap();
        let named = vec![site("example.com"), site("a.example"), site("example.com")];
        let plan = Plan::new(named, &["control".into(), "control".into()]).unwrap();
        assert_eq!(plan.targets.len(), control.targets.len() + 1);
        assert_eq!(plan.targets[..2], [site("example.com"), site("a.example")]);
        let listed = control.targets.len() - 1;
        assert_eq!(
            plan.announcement(None),
            format!(
                "contacting {} sites (2 named here, {listed} of suite control, control); nothing is sent anywhere else",
                listed + 2
            )
        );
    }

    #[test]
    fn nothing_asked_for_is_the_default_suite() {
        let plan = Plan::new(Vec::new(), &[]).unwrap();
        assert_eq!(plan.suites[0].name, DEFAULT_SUITE);
        let plan = Plan::new(vec![site("a.example")], &[]).unwrap();
        assert!(plan.suites.is_empty());
        assert!(plan.announcement(None).starts_with("contacting 1 site (1 named here);"));
    }
}
