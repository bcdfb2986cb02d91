-- CreateTable
CREATE TABLE "authorization_sessions" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "state_hash" TEXT NOT NULL,
    "redirect_uri" TEXT NOT NULL,
    "own_redirect" BOOLEAN NOT NULL,
    "return_url" TEXT,
    "expected_entity_id" TEXT,
    "expected_external_id" TEXT,
    "browser_hash" TEXT,
    "sealed_request" TEXT NOT NULL,
    "sealed_grant" TEXT,
    "grant_sequence" BIGINT,
    "account_external_id" TEXT,
    "account_credential_id" TEXT,
    "account_name" TEXT,
    "credential_id" TEXT,
    "entity_id" TEXT,
    "error_code" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "authorization_sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "credentials" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "sealed_tokens" TEXT NOT NULL,
    "refreshable" BOOLEAN NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "auth_is_valid" BOOLEAN NOT NULL,
    "verdict_code" TEXT,
    "verdict_http_status" INTEGER,
    "verdict_since" TIMESTAMPTZ(3),
    "generation" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "grant_sequence" BIGINT NOT NULL,
    "last_test_outcome" TEXT,
    "last_test_generation" INTEGER,
    "last_test_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "credentials_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "entities" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "name" TEXT,
    "credential_id" TEXT NOT NULL,
    "grant_sequence" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "entities_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "integrations" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "entity_key" TEXT NOT NULL,
    "config" JSONB NOT NULL,
    "lifecycle" TEXT NOT NULL,
    "intent" TEXT NOT NULL,
    "causes" JSONB NOT NULL,
    "epochs" JSONB NOT NULL,
    "status" TEXT NOT NULL,
    "status_since" TIMESTAMPTZ(3) NOT NULL,
    "version" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "integrations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "integration_entities" (
    "entity_id" TEXT NOT NULL,
    "integration_id" TEXT NOT NULL,

    CONSTRAINT "integration_entities_pkey" PRIMARY KEY ("entity_id","integration_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "authorization_sessions_state_hash_key" ON "authorization_sessions"("state_hash");

-- CreateIndex
CREATE INDEX "authorization_sessions_state_updated_at_idx" ON "authorization_sessions"("state", "updated_at");

-- CreateIndex
CREATE INDEX "credentials_user_id_id_idx" ON "credentials"("user_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "credentials_user_id_provider_external_id_key" ON "credentials"("user_id", "provider", "external_id");

-- CreateIndex
CREATE INDEX "entities_user_id_id_idx" ON "entities"("user_id", "id");

-- CreateIndex
CREATE INDEX "entities_credential_id_idx" ON "entities"("credential_id");

-- CreateIndex
CREATE UNIQUE INDEX "entities_user_id_provider_external_id_key" ON "entities"("user_id", "provider", "external_id");

-- CreateIndex
CREATE INDEX "integrations_user_id_id_idx" ON "integrations"("user_id", "id");

-- CreateIndex
CREATE INDEX "integrations_lifecycle_updated_at_idx" ON "integrations"("lifecycle", "updated_at");

-- CreateIndex
CREATE INDEX "integrations_causes_idx" ON "integrations" USING GIN ("causes" jsonb_path_ops);

-- CreateIndex
CREATE UNIQUE INDEX "integrations_user_id_type_entity_key_key" ON "integrations"("user_id", "type", "entity_key");

-- CreateIndex
CREATE INDEX "integration_entities_integration_id_idx" ON "integration_entities"("integration_id");

-- AddForeignKey
ALTER TABLE "entities" ADD CONSTRAINT "entities_credential_id_fkey" FOREIGN KEY ("credential_id") REFERENCES "credentials"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "integration_entities" ADD CONSTRAINT "integration_entities_entity_id_fkey" FOREIGN KEY ("entity_id") REFERENCES "entities"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "integration_entities" ADD CONSTRAINT "integration_entities_integration_id_fkey" FOREIGN KEY ("integration_id") REFERENCES "integrations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What follows is beyond Prisma's schema language.

-- Numbers grants in the order of their exchanges, over all sessions.
CREATE SEQUENCE "grant_sequence" AS BIGINT;

-- Entries go straight into the index: causes change rarely, and a list of pending entries would cost every search.
ALTER INDEX "integrations_causes_idx" SET (fastupdate = off);

-- The states of src/domain/session.ts, and what each of them implies.
ALTER TABLE "authorization_sessions"
    ADD CONSTRAINT "authorization_sessions_state_check"
        CHECK ("state" IN ('pending', 'exchanging', 'exchanged', 'connected', 'restored', 'failed')),
    ADD CONSTRAINT "authorization_sessions_sealed_grant_check"
        CHECK (("sealed_grant" IS NOT NULL) = ("state" = 'exchanged')),
    ADD CONSTRAINT "authorization_sessions_grant_sequence_check"
        CHECK ("grant_sequence" IS NOT NULL OR "state" NOT IN ('exchanged', 'connected', 'restored')),
    ADD CONSTRAINT "authorization_sessions_result_check"
        CHECK (("credential_id" IS NOT NULL AND "entity_id" IS NOT NULL) OR "state" NOT IN ('connected', 'restored')),
    ADD CONSTRAINT "authorization_sessions_error_code_check"
        CHECK (("error_code" IS NOT NULL) = ("state" = 'failed'));

-- A verdict is there exactly while the credential is dead.
ALTER TABLE "credentials"
    ADD CONSTRAINT "credentials_verdict_check"
        CHECK ("auth_is_valid" = ("verdict_code" IS NULL) AND "auth_is_valid" = ("verdict_since" IS NULL)),
    ADD CONSTRAINT "credentials_last_test_check"
        CHECK (num_nulls("last_test_outcome", "last_test_generation", "last_test_at") IN (0, 3));

-- The rule of src/domain/status.ts: a status that its lifecycle, intent and causes do not yield cannot be written,
-- and so no ERROR without a cause.
ALTER TABLE "integrations"
    ADD CONSTRAINT "integrations_lifecycle_check"
        CHECK ("lifecycle" IN ('creating', 'needs_config', 'processing', 'ready', 'deleting')),
    ADD CONSTRAINT "integrations_intent_check"
        CHECK ("intent" IN ('on', 'paused')),
    ADD CONSTRAINT "integrations_json_check"
        CHECK (jsonb_typeof("config") = 'object' AND jsonb_typeof("causes") = 'array' AND jsonb_typeof("epochs") = 'object'),
    ADD CONSTRAINT "integrations_status_check"
        CHECK ("status" = CASE
            WHEN "lifecycle" = 'deleting' THEN 'IN_DELETION'
            WHEN "lifecycle" = 'creating' THEN 'IN_CREATION'
            WHEN "lifecycle" = 'processing' THEN 'PROCESSING'
            WHEN "intent" = 'paused' THEN 'DISABLED'
            WHEN "lifecycle" = 'needs_config' THEN 'NEEDS_CONFIG'
            WHEN jsonb_array_length("causes") > 0 THEN 'ERROR'
            ELSE 'ENABLED'
        END);
