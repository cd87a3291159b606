//! A sample, judged without a control.

use kua::campaign::Tally;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::judge;

use crate::sample::Sample;

impl Sample {
    pub(crate) fn reference(&self) -> Reference {
        Reference::from_files(self.files.clone()).unwrap()
    }

    pub(crate) fn tally(&self, reference: &Reference) -> Tally {
        let mut tally = Tally::default();
        for record in &self.records {
            tally.observe(record, &judge(record, reference, &Surroundings::none(), None));
        }
        tally
    }
}
