// @ts-check
// Connects with the options given as JSON and prints "connected" or the name of the error. Runs in its own process,
// because after a rejected password the driver's timeout still fires and throws an error that cannot be caught.

import r from "rethinkdb";

const outcome = await r.connect(JSON.parse(process.argv[2])).then(
  () => "connected",
  (error) => error.name,
);
console.log(outcome);
process.exit(0);
