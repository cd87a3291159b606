//! What every report says about how it was made and what it cannot say.

pub(super) const METHOD: &str = "\
Every handshake is judged by itself and always in the same order; each step removes an innocent \
explanation. First: did a key that a dossier publishes sign the chain? Nobody without that key can \
have made such a signature, so it is the only thing that names an interceptor. Second: does a root \
program vouch for the chain, and did its holder answer? Third: is a control shown the same, so that \
the site itself is at fault? Fourth: is only the date wrong with a public certificate of that name? \
Fifth: does the issuer call itself by the name of a product that opens connections on its owner's \
machine? Sixth: is a control shown a publicly trusted chain, and the probe another one? What is left \
is called an anomaly and accuses nobody. A name is never evidence: names in certificates are free \
text. Signatures are checked whether or not a certificate is expired, because interceptors go on \
with expired ones. Handshakes of one dossier's keys, or of one unknown key, are one campaign. \
Counts are of handshakes; every share has its 95 % interval (Wilson 1927).";

pub(super) const LIMITS: &[&str] = &[
    "The counts describe the handshakes that volunteers made. They are no sample of a country's \
     traffic: who measures, where, when and which names was not drawn by lot. The intervals cover \
     chance, not that choice.",
    "A name or a network that is not in this report was not seen to be intercepted. That is not the \
     same as not intercepted: it may not have been measured there, or not at that time.",
    "A network is listed because a probe in it was shown a forged chain. That does not say that its \
     operator forged it: it may have happened at an upstream network.",
    "A key shows which key signed. It does not show who held it on that day; a stolen key signs as \
     well as its owner.",
    "Without a control, a chain that nobody vouches for cannot be told from a site that is set up \
     badly. Such handshakes are counted as anomalies or as inconclusive.",
    "A record that kept one certificate of a chain, as OONI's do when verification fails, does not \
     hold all that was presented.",
    "The reference data ends at its dates. Keys that became known later are not in it; the same \
     records can be judged again.",
];
