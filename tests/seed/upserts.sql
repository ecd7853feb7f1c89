-- The same by a script: what `prisma.x.upsert({ where, create, update })` sends for each row.
INSERT INTO "Role" VALUES (1, 'super_admin', 'Super admin', 100) ON CONFLICT ("id") DO UPDATE SET "key" = excluded."key", "name" = excluded."name", "rank" = excluded."rank";
INSERT INTO "Role" VALUES (2, 'admin', 'Admin', 50) ON CONFLICT ("id") DO UPDATE SET "key" = excluded."key", "name" = excluded."name", "rank" = excluded."rank";
INSERT INTO "Role" VALUES (3, 'auditor', '', 10) ON CONFLICT ("id") DO UPDATE SET "key" = excluded."key", "name" = excluded."name", "rank" = excluded."rank";
INSERT INTO "Role" VALUES (4, 'guest', NULL, 0) ON CONFLICT ("id") DO UPDATE SET "key" = excluded."key", "name" = excluded."name", "rank" = excluded."rank";
SELECT setval('"Role_id_seq"', 4);
-- a circle of columns that may not be null: a script has to take the constraint away, or to know this
WITH c AS (INSERT INTO "Country" VALUES ('AT', 'Austria', 'EUR'), ('DE', 'Germany', 'EUR'), ('GB', 'United Kingdom, the', 'GBP'), ('US', 'The "States"', 'USD')
    ON CONFLICT ("code") DO UPDATE SET "name" = excluded."name", "currency" = excluded."currency")
INSERT INTO "Currency" VALUES ('EUR', 'DE', 2), ('GBP', 'GB', 2), ('USD', 'US', 2) ON CONFLICT ("code") DO UPDATE SET "home" = excluded."home", "digits" = excluded."digits";
INSERT INTO "Permission" VALUES ('00000000-0000-4000-8000-000000000001', 'order.read', ARRAY['order', 'read only'], '{"all": true}') ON CONFLICT ("id") DO NOTHING;
INSERT INTO "Permission" VALUES ('00000000-0000-4000-8000-000000000002', 'order.write', ARRAY[]::text[], NULL) ON CONFLICT ("id") DO NOTHING;
INSERT INTO "Permission" VALUES ('00000000-0000-4000-8000-000000000003', 'user.ändern', NULL, '{"limit": 12345678901234567890.123456789}') ON CONFLICT ("id") DO NOTHING;
INSERT INTO "RolePermission" SELECT r, ('00000000-0000-4000-8000-00000000000' || p)::uuid, timestamptz '2026-01-01 00:00:00Z' FROM (VALUES (1, 1), (1, 2), (2, 1)) v(r, p)
    ON CONFLICT ("roleId", "permissionId") DO UPDATE SET "grantedAt" = excluded."grantedAt";
INSERT INTO "Plan" ("slug", "price", "period", "features") VALUES ('free', 0, 'MONTH', NULL) ON CONFLICT ("slug") DO UPDATE SET "price" = excluded."price";
INSERT INTO "Plan" ("slug", "price", "period", "features") VALUES ('team', 19.90, 'MONTH', '{"seats": 5, "sso": false}') ON CONFLICT ("slug") DO UPDATE SET "price" = excluded."price";
INSERT INTO "Plan" ("slug", "price", "period", "features") VALUES ('business', 199, 'YEAR', '{"seats": 50, "sso": true}') ON CONFLICT ("slug") DO UPDATE SET "price" = excluded."price";
INSERT INTO "PlanPrice" VALUES (2, 'EUR', 19.9), (2, 'USD', 24.123456789012345678901234567890), (3, 'EUR', 199) ON CONFLICT ("planId", "currency") DO UPDATE SET "price" = excluded."price";
INSERT INTO "FeatureFlag" ("key", "enabled", "rules") VALUES ('checkout_v2', true, '{"country": ["AT", "DE"]}') ON CONFLICT ("key") DO UPDATE SET "enabled" = excluded."enabled";
INSERT INTO "FeatureFlag" ("key") VALUES ('dark_mode') ON CONFLICT ("key") DO NOTHING;
INSERT INTO "FeatureFlag" ("key", "note", "rollout") VALUES ('beta', E'for "friends"\nand family', 5) ON CONFLICT ("key") DO UPDATE SET "note" = excluded."note";
INSERT INTO "Organization" VALUES (1, 'shop', NULL) ON CONFLICT ("id") DO NOTHING;
INSERT INTO "User" VALUES (1, 'root@shop.example', '$2b$12$made-up-hash-of-root', 1, 1, '2026-01-01') ON CONFLICT ("email") DO NOTHING;
INSERT INTO "User" VALUES (2, 'ops@shop.example', '$2b$12$made-up-hash-of-ops', 2, 1, '2026-01-01') ON CONFLICT ("email") DO NOTHING;
UPDATE "Organization" SET "ownerId" = 1 WHERE "id" = 1;
INSERT INTO "Category" VALUES ('all', NULL, 'Everything'), ('clothes', 'all', 'Clothes'), ('shoes', 'clothes', 'Shoes') ON CONFLICT ("id") DO UPDATE SET "name" = excluded."name";
INSERT INTO "Setting" VALUES ('logo', '\x89504e470d0a', NULL, '2026-03-29 00:30:00Z'), ('retention', '', '30 days', NULL), ('lines', NULL, '1 mon', '2026-03-29 01:30:00Z')
    ON CONFLICT ("key") DO UPDATE SET "value" = excluded."value";
