import fc from 'fast-check';

// Under mutation a property is tried some hundred times over: what a change breaks is seen in few examples, or by another test.
fc.configureGlobal({ numRuns: 25 });
