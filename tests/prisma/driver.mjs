// One process for many Prisma commands, since starting the command line costs 0.7 s and a command a tenth of that.
//
// Reads a JSON object a line, {"args": ["deploy"], "folder": "/…/prisma/migrations", "url": "postgresql://…"}, runs
// `prisma migrate ARGS…`, and answers with a line {"code": 0, "output": "…"}. It runs the very classes of the command line.
import Module, { createRequire } from 'node:module'
import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'
import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import whole, { closeAll } from './whole.mjs'

// The engine draws its UUIDs from here, which Node 18 has not made global yet.
globalThis.crypto ??= webcrypto

// Node 18 cannot require ES modules. Code generators need some, and come along; Migrate needs none.
const load = Module._load
Module._load = (...args) => {
  try {
    return load(...args)
  } catch (error) {
    if (error.code === 'ERR_REQUIRE_ESM') return {}
    throw error
  }
}

const require = createRequire(process.env.MIG_TEST_PRISMA + '/')
const { MigrateDeploy, MigrateStatus, MigrateResolve } = require('@prisma/migrate')
const { defineConfig } = require('@prisma/config')

const commands = { deploy: MigrateDeploy, status: MigrateStatus, resolve: MigrateResolve }

// What they print goes to the answer; standard output is ours.
const print = process.stdout.write.bind(process.stdout)
let printed = ''
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (text) => ((printed += text), true)
}

async function run({ args, folder, url }) {
  printed = ''
  process.env.DATABASE_URL = url
  process.exitCode = 0
  const schema = dirname(folder) + '/schema.prisma'
  writeFileSync(schema, 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n')
  const config = defineConfig({
    experimental: { adapter: true },
    engine: 'js',
    schema,
    migrations: { path: folder },
    adapter: async () => whole(url),
  })
  // status ends the process itself where the command line is to exit with 1.
  const { exit } = process
  let ended
  process.exit = (code) => {
    ended = code
    throw new Error(`exit ${code}`)
  }
  try {
    const answer = await commands[args[0]].new().parse(args.slice(1), config)
    if (answer instanceof Error) throw answer
    return { code: 0, output: printed + answer }
  } catch (error) {
    return { code: ended ?? 1, output: printed + (ended === undefined ? error.message : '') }
  } finally {
    await closeAll()
    process.exit = exit
    process.exitCode = 0
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  print(JSON.stringify(await run(JSON.parse(line))) + '\n')
}
process.exit(0)
