-- What a shop keeps as reference data, as Prisma would make it: 12 tables, with two circles and a tree.
CREATE TYPE "Period" AS ENUM ('MONTH', 'YEAR');
CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE "Currency" ("code" CHAR(3) PRIMARY KEY, "home" CHAR(2) NOT NULL, "digits" INTEGER NOT NULL DEFAULT 2);
CREATE TABLE "Country" ("code" CHAR(2) PRIMARY KEY, "name" TEXT NOT NULL UNIQUE, "currency" CHAR(3) NOT NULL REFERENCES "Currency");
ALTER TABLE "Currency" ADD FOREIGN KEY ("home") REFERENCES "Country";
CREATE TABLE "Role" ("id" SERIAL PRIMARY KEY, "key" TEXT NOT NULL UNIQUE, "name" TEXT, "rank" INTEGER NOT NULL DEFAULT 0);
CREATE TABLE "Permission" ("id" UUID PRIMARY KEY, "code" TEXT NOT NULL UNIQUE, "tags" TEXT[], "scope" JSONB);
CREATE TABLE "RolePermission" ("roleId" INTEGER NOT NULL REFERENCES "Role", "permissionId" UUID NOT NULL REFERENCES "Permission",
    "grantedAt" TIMESTAMPTZ NOT NULL, PRIMARY KEY ("roleId", "permissionId"));
CREATE TABLE "Plan" ("id" INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "slug" TEXT NOT NULL UNIQUE, "price" DECIMAL(10,2) NOT NULL CHECK ("price" >= 0),
    "period" "Period" NOT NULL, "features" JSONB, "label" TEXT GENERATED ALWAYS AS (upper("slug")) STORED);
CREATE TABLE "PlanPrice" ("planId" INTEGER NOT NULL REFERENCES "Plan", "currency" CHAR(3) NOT NULL REFERENCES "Currency", "price" DECIMAL(65,30) NOT NULL,
    PRIMARY KEY ("planId", "currency"));
CREATE TABLE "FeatureFlag" ("key" TEXT PRIMARY KEY, "enabled" BOOLEAN NOT NULL DEFAULT false, "note" TEXT, "rules" JSONB, "rollout" percent DEFAULT 100);
CREATE TABLE "Organization" ("id" SERIAL PRIMARY KEY, "slug" TEXT NOT NULL UNIQUE, "ownerId" INTEGER);
CREATE TABLE "User" ("id" SERIAL PRIMARY KEY, "email" TEXT NOT NULL UNIQUE, "passwordHash" TEXT NOT NULL, "roleId" INTEGER NOT NULL REFERENCES "Role",
    "organizationId" INTEGER NOT NULL REFERENCES "Organization", "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, "writes" INTEGER NOT NULL DEFAULT 0);
ALTER TABLE "Organization" ADD FOREIGN KEY ("ownerId") REFERENCES "User";
CREATE TABLE "Category" ("id" TEXT PRIMARY KEY, "parentId" TEXT REFERENCES "Category", "name" TEXT NOT NULL);
CREATE TABLE "Setting" ("key" TEXT PRIMARY KEY, "value" BYTEA, "age" INTERVAL, "at" TIMESTAMPTZ);
CREATE FUNCTION count_writes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."writes" := OLD."writes" + 1; RETURN NEW; END $$;
CREATE TRIGGER count_writes BEFORE UPDATE ON "User" FOR EACH ROW EXECUTE FUNCTION count_writes();
