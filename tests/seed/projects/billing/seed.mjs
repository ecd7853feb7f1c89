// A price list whose changes are deployed; whether a plan is sold, and its id at the payment service, belong to the people who
// run it. Production has its own prices, and no test coupon.
const production = process.env.SEED_ENV === 'production'
const GB = 1024n ** 3n
const plans = [
  { slug: 'free', name: 'Free', priceCents: 0, storageBytes: 1n * GB, limits: { seats: 1, api: null }, modules: [], sortOrder: 0 },
  { slug: 'team', name: 'Team', audience: 'TEAM', priceCents: production ? 3900 : 100, storageBytes: 600n * GB, shareCents: 0.8, limits: { seats: 20 }, modules: ['sso', 'audit log'], sortOrder: 1 },
]
if (production) plans.push({ slug: 'max', name: 'Max', audience: 'TEAM', priceCents: 9900, storageBytes: 9007199254740993n, modules: ['sso'], sortOrder: 2 })
const features = [['seats', 'Seats', 'limits'], ['sso', 'Single sign-on', 'security']]
for (const [keyName, label, category] of features)
  await prisma.feature.upsert({ where: { keyName }, update: { label, category }, create: { keyName, label, category } })
for (const plan of plans) {
  const { id } = await prisma.plan.upsert({ where: { slug: plan.slug }, create: { ...plan, stripePriceId: `price_${plan.slug}` }, update: plan })
  for (const feature of await prisma.feature.findMany()) {
    const ids = { planId: id, featureId: feature.id }
    const enabled = feature.keyName === 'seats' || plan.modules.includes(feature.keyName)
    await prisma.planFeature.upsert({ where: { planId_featureId: ids }, update: { enabled }, create: { ...ids, enabled } })
  }
}
const coupons = [{ code: 'SPRING', percent: '12.50', expiresAt: new Date('2030-03-31T22:00:00.000Z') }]
if (!production) coupons.push({ code: 'TEST', percent: '100', expiresAt: null })
await prisma.coupon.createMany({ data: coupons, skipDuplicates: true })
