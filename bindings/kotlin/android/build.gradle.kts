// An Android library around the same sources. Text for consumers: no build of this repository runs
// it, for want of the Android SDK and NDK.
//
//   cargo xtask aar             with `--print`, its steps
plugins {
    id("com.android.library")
    kotlin("android")
}

android {
    namespace = "dev.tidings"
    compileSdk = 36
    defaultConfig {
        minSdk = 24
        consumerProguardFiles("../tidings/src/main/resources/META-INF/proguard/tidings.pro")
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    sourceSets["main"].apply {
        kotlin.srcDirs("../tidings/src/main/kotlin", "../../../target/bindings/kotlin")
        jniLibs.srcDir("jniLibs")
    }
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
    // The AAR, for its Android natives; at least 5.17 for pages of 16 KB.
    implementation("net.java.dev.jna:jna:5.18.1@aar")
    // Local JVM tests want the plain jar.
    testImplementation("net.java.dev.jna:jna:5.18.1")
}
