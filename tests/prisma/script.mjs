// script.mjs PROJECT FILE…: runs a script such as a project's seed.mjs, with the generated client of PROJECT as the
// global `prisma`. MIG_TEST_PRISMA is the folder that holds node_modules.
import { createRequire } from 'node:module'
import { webcrypto } from 'node:crypto'
import { resolve } from 'node:path'

globalThis.crypto ??= webcrypto
const [project, file, ...rest] = process.argv.slice(2)
const require = createRequire(process.env.MIG_TEST_PRISMA + '/')
const { PrismaPg } = require('@prisma/adapter-pg')
const { PrismaClient } = require(resolve(project, 'client'))

globalThis.prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) })
process.argv.splice(2, process.argv.length, ...rest)
try {
  await import(resolve(project, file))
} finally {
  await prisma.$disconnect()
}
