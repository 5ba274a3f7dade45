// Globals that tests put into pages.

declare var activity: import('./activity.js').Activity;
declare var axe: { run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }> };
/** What a test has noted in the page. */
declare var noted: any;
