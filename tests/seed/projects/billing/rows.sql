SELECT slug, name, audience, "priceCents", "storageBytes", "shareCents", limits, modules, "isActive", "stripePriceId", "sortOrder", id ~ '^c', "updatedAt" IS NOT NULL FROM "Plan" ORDER BY 1;
SELECT "keyName", label, category FROM "Feature" ORDER BY 1;
SELECT slug, "keyName", enabled, length(x.id) FROM "PlanFeature" x JOIN "Plan" p ON p.id = "planId" JOIN "Feature" f ON f.id = "featureId" ORDER BY 1, 2;
SELECT * FROM "Coupon" ORDER BY 1;
