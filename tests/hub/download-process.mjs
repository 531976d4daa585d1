// A process that downloads a model: node download-process.mjs MODULE ENDPOINT CACHE REPOSITORY
const [module, endpoint, hfHubCache, repository] = process.argv.slice(2);
const { downloadModel } = await import(module);
const { folder } = await downloadModel(repository, { hfHubCache, hub: { endpoint, readToken: () => undefined } });
process.stdout.write(folder);
