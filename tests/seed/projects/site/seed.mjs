// Fixed ids, settings as JSON, a file in a column, in one transaction.
const tenantId = 'default'
await prisma.$transaction(async (tx) => {
  await tx.tenant.upsert({ where: { id: tenantId }, update: { name: 'Main "site"' }, create: { id: tenantId, name: 'Main "site"' } })
  const settings = {
    theme: { colors: ['#fff', '#000'], dark: false },
    'mail.from': 'Shop <shop@example.com>',
    limits: [1, 2.5, 10000000000],
    none: {},
  }
  for (const [key, value] of Object.entries(settings))
    await tx.setting.upsert({ where: { tenantId_key: { tenantId, key } }, update: { value }, create: { tenantId, key, value } })
  const logo = { value: 'image/png', blob: new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 10]) }
  await tx.setting.upsert({ where: { tenantId_key: { tenantId, key: 'logo' } }, update: logo, create: { tenantId, key: 'logo', ...logo } })
  await tx.flag.createMany({
    data: [
      { tenantId, name: 'beta', enabled: true, ratio: '0.125', since: new Date('2026-01-01T12:30:00.250Z') },
      { tenantId, name: 'old', since: new Date(0) },
    ],
    skipDuplicates: true,
  })
})
