// The schema engine of Prisma Migrate in one process: what would `prisma migrate diff --script` print?
//
// Reads a JSON object a line, {"from": MODEL, "to": MODEL}: a datamodel is its text, or [[PATH, TEXT], ...] where it has several
// files; "from" may also be null, nothing, or {}, the database of DATABASE_URL. Answers with a line {"code": 0 equal, 2 different, 1 refused; "text": the script, or the engine's words}. DATABASE_URL has to be
// a server that answers, since the engine asks for its version; nothing is written there. It ends with 3 if the engine dies.
import { webcrypto } from 'node:crypto'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { readFileSync } from 'node:fs'
import whole, { closeAll } from './whole.mjs'

globalThis.crypto ??= webcrypto

const require = createRequire(process.env.MIG_TEST_PRISMA + '/')
const folder = process.env.MIG_TEST_PRISMA + '/node_modules/@prisma/schema-engine-wasm/'
const engine = await import(folder + 'schema_engine_bg.js')
const { instance } = await WebAssembly.instantiate(readFileSync(folder + 'schema_engine_bg.wasm'), { './schema_engine_bg.js': engine })
engine.__wbg_set_wasm(instance.exports)
instance.exports.__wbindgen_start()
const { bindMigrationAwareSqlAdapterFactory } = require('@prisma/driver-adapter-utils')

globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => process.stderr.write(`the engine died: ${message}\n`) }
process.on('uncaughtException', () => process.exit(3))

const pairs = (model) => (typeof model === 'string' ? [['schema.prisma', model]] : model)
const files = (model) => pairs(model).map(([path, content]) => ({ path, content }))

const side = (model, to) => {
  if (model === null) return { tag: 'empty' }
  if (typeof model === 'string' || Array.isArray(model)) return { tag: 'schemaDatamodel', files: files(model) }
  return { tag: 'schemaDatasource', configDir: '/', files: files(to) }
}

async function answer({ from, to }) {
  try {
    const adapter = bindMigrationAwareSqlAdapterFactory(whole(process.env.DATABASE_URL))
    const migrate = await engine.SchemaEngine.new({ datamodels: pairs(to) }, () => {}, adapter)
    const { exitCode, stdout } = await migrate.diff({
      from: side(from, to), to: side(to), shadowDatabaseUrl: null, script: true, exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    })
    migrate.free?.()
    return { code: exitCode, text: stdout + '\n' } // the command line adds a line end
  } catch (error) {
    return { code: 1, text: error.message ?? String(error) }
  } finally {
    await closeAll()
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + '\n')
}
process.exit(0)
