/**
 * Loaded first into the process of each test file: stack traces name lines of the sources. The
 * processes that a test starts do without, as reading the maps makes each of them start later.
 */
process.setSourceMapsEnabled(true);
process.env.NODE_OPTIONS = process.env.NODE_OPTIONS?.replace(/--import=\S+\/source-maps\.js/, "");
