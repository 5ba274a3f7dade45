// @ts-check
// Connects with the options given as JSON and prints "connected" or the name of the error. A process of its own,
// because after a refused password the driver's time-out still fires, as an error that nobody can catch.

import r from "rethinkdb";

const outcome = await r.connect(JSON.parse(process.argv[2])).then(
  () => "connected",
  (error) => error.name,
);
console.log(outcome);
process.exit(0);
